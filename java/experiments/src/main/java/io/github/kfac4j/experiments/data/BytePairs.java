package io.github.kfac4j.experiments.data;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/**
 * Learns which tokens are merged (byte pair encoding, Sennrich et al., 2016): again and again the
 * pair of neighbours in a word that is most frequent, of equally frequent ones that of the smallest
 * tokens, the left one first.
 */
final class BytePairs {
  /** Rarer ones are no pattern. */
  private static final long LEAST = 2;

  private final List<char[]> words = new ArrayList<>();
  private final List<Long> frequencies = new ArrayList<>();
  private final Map<Integer, Long> counts = new HashMap<>();
  private final Map<Integer, Set<Integer>> places = new HashMap<>();
  private final PriorityQueue<Candidate> queue =
      new PriorityQueue<>(
          Comparator.comparingLong(Candidate::count)
              .reversed()
              .thenComparing(Candidate::pair, Integer::compareUnsigned));

  private record Candidate(int pair, long count) {}

  /** Of words, whose characters are tokens, with their frequencies. */
  BytePairs(Map<String, Long> frequencies) {
    frequencies.forEach(
        (word, frequency) -> {
          words.add(word.toCharArray());
          this.frequencies.add(frequency);
          count(words.size() - 1, 1);
        });
    counts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
  }

  static int pair(char left, char right) {
    return left << 16 | right;
  }

  /** Adds the pairs of a word to the counts, or takes them away. */
  private void count(int index, int sign) {
    char[] word = words.get(index);
    for (int i = 0; i + 1 < word.length; i++) {
      int pair = pair(word[i], word[i + 1]);
      counts.merge(pair, sign * frequencies.get(index), Long::sum);
      if (sign > 0) {
        places.computeIfAbsent(pair, key -> new HashSet<>()).add(index);
      }
    }
  }

  /** The pairs in the order of their merging into tokens from {@code first} on. */
  List<Integer> learn(int first, int merges) {
    List<Integer> learned = new ArrayList<>();
    while (learned.size() < merges && !queue.isEmpty()) {
      Candidate best = queue.poll();
      long now = counts.getOrDefault(best.pair, 0L);
      if (now != best.count) { // a count that has changed is in the queue again
        continue;
      }
      if (now < LEAST) {
        break;
      }
      learned.add(best.pair);
      merge(best.pair, (char) (first + learned.size() - 1));
    }
    return learned;
  }

  private void merge(int pair, char token) {
    Set<Integer> changed = new HashSet<>();
    for (int index : places.remove(pair)) {
      count(index, -1);
      collect(index, changed);
      words.set(index, merged(words.get(index), pair, token));
      count(index, 1);
      collect(index, changed);
    }
    for (int one : changed) {
      long count = counts.get(one);
      if (count == 0) {
        counts.remove(one);
        places.remove(one);
      } else {
        queue.add(new Candidate(one, count));
      }
    }
  }

  private void collect(int index, Set<Integer> pairs) {
    char[] word = words.get(index);
    for (int i = 0; i + 1 < word.length; i++) {
      pairs.add(pair(word[i], word[i + 1]));
    }
  }

  /** A word with every occurrence of a pair, from the left, as one token. */
  static char[] merged(char[] word, int pair, char token) {
    char[] merged = new char[word.length];
    int length = 0;
    for (int i = 0; i < word.length; i++) {
      boolean found = i + 1 < word.length && pair(word[i], word[i + 1]) == pair;
      merged[length++] = found ? token : word[i];
      i += found ? 1 : 0;
    }
    return java.util.Arrays.copyOf(merged, length);
  }
}
