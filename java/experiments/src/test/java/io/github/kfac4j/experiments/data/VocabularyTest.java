package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VocabularyTest {
  @Test
  void mergesTheMostFrequentPairsFirst() {
    // "lo" 7 times; then "low" as often as "w " would be, were it not over the border of a word
    Vocabulary vocabulary = Vocabulary.learn(Map.of("low", 5L, "lot", 2L, " n", 1L), 257 + 9);
    assertThat(vocabulary.size()).isEqualTo(257 + 3);
    assertThat(vocabulary.decode((char) 257)).isEqualTo("lo");
    assertThat(vocabulary.decode((char) 258)).isEqualTo("low");
    assertThat(vocabulary.decode((char) 259)).isEqualTo("lot");
    assertThat(tokens(vocabulary, "low lows")).containsExactly(258, 32, 258, 115, 256);
  }

  /** By the definition: all pairs are counted anew before each merge. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void learnsAndEncodesByTheDefinition(long seed) {
    Random random = new Random(seed);
    Map<String, Long> words = new HashMap<>();
    for (int i = 0; i < 60; i++) {
      StringBuilder word = new StringBuilder();
      int length = 1 + random.nextInt(9);
      for (int k = 0; k < length; k++) {
        word.append((char) ('a' + random.nextInt(4)));
      }
      words.merge(word.toString(), 1L + random.nextInt(3), Long::sum);
    }
    List<int[]> merges = definition(words, 80);
    Vocabulary vocabulary = Vocabulary.learn(words, 257 + 80);
    assertThat(vocabulary.size()).isEqualTo(257 + merges.size());
    assertThat(merges).hasSizeGreaterThan(50);
    for (int i = 0; i < merges.size(); i++) {
      String parts =
          vocabulary.decode((char) merges.get(i)[0]) + vocabulary.decode((char) merges.get(i)[1]);
      assertThat(vocabulary.decode((char) (257 + i))).as("token %d", 257 + i).isEqualTo(parts);
    }
    for (String word : words.keySet()) {
      List<Integer> expected = new ArrayList<>(word.chars().boxed().toList());
      for (int i = 0; i < merges.size(); i++) {
        expected = apply(expected, merges.get(i), 257 + i);
      }
      expected.add(256);
      assertThat(tokens(vocabulary, word)).isEqualTo(expected);
    }
  }

  private static List<int[]> definition(Map<String, Long> words, int most) {
    Map<String, List<Integer>> symbols = new LinkedHashMap<>();
    words.keySet().forEach(word -> symbols.put(word, word.chars().boxed().toList()));
    List<int[]> merges = new ArrayList<>();
    while (merges.size() < most) {
      long best = 1;
      int[] pair = null;
      for (int left = 0; left < 257 + merges.size(); left++) {
        for (int right = 0; right < 257 + merges.size(); right++) {
          long count = left > 'd' && left < 257 ? 0 : count(symbols, words, left, right);
          if (count > best) {
            best = count;
            pair = new int[] {left, right};
          }
        }
      }
      if (pair == null) {
        return merges;
      }
      int[] merged = pair;
      int token = 257 + merges.size();
      symbols.replaceAll((word, old) -> apply(old, merged, token));
      merges.add(pair);
    }
    return merges;
  }

  private static long count(
      Map<String, List<Integer>> symbols, Map<String, Long> words, int left, int right) {
    long count = 0;
    for (Map.Entry<String, List<Integer>> entry : symbols.entrySet()) {
      List<Integer> word = entry.getValue();
      for (int i = 0; i + 1 < word.size(); i++) {
        count += word.get(i) == left && word.get(i + 1) == right ? words.get(entry.getKey()) : 0;
      }
    }
    return count;
  }

  private static List<Integer> apply(List<Integer> word, int[] pair, int token) {
    List<Integer> merged = new ArrayList<>();
    for (int i = 0; i < word.size(); i++) {
      boolean found = i + 1 < word.size() && word.get(i) == pair[0] && word.get(i + 1) == pair[1];
      merged.add(found ? token : word.get(i));
      i += found ? 1 : 0;
    }
    return merged;
  }

  @Test
  void tokensGiveBackAnyText() {
    Map<String, Long> words = new HashMap<>();
    String line =
        "Größe 12,5 — naïve\tcafé  x\u00a0y 𝔘nicode … " + "w".repeat(200) + "!".repeat(90);
    Vocabulary.words(line + line, word -> words.merge(word, 1L, Long::sum));
    Vocabulary vocabulary = Vocabulary.learn(words, 300);
    assertThat(vocabulary.size()).isEqualTo(300);
    for (String text : List.of(line, "none of it: ʎ€", " ", "")) {
      List<Integer> tokens = tokens(vocabulary, text);
      char[] all = new char[tokens.size()];
      for (int i = 0; i < all.length; i++) {
        all[i] = (char) (int) tokens.get(i);
      }
      assertThat(vocabulary.decode(all)).isEqualTo(text + "\n");
    }
  }

  private static List<Integer> tokens(Vocabulary vocabulary, String line) {
    List<Integer> tokens = new ArrayList<>();
    vocabulary.encode(line, word -> new String(word).chars().forEach(token -> tokens.add(token)));
    return tokens;
  }
}
