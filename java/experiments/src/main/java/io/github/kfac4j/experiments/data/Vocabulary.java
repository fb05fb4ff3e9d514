package io.github.kfac4j.experiments.data;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A vocabulary of parts of words, as byte pair encoding learns it. Tokens 0 to 255 are the bytes of
 * UTF-8, so that there is no text without tokens; 256 ends a line; those that follow stand for two
 * earlier ones each. No token reaches over the border of a word: letters, digits or other
 * characters, with the space before them, 64 at most.
 */
final class Vocabulary {
  static final char END_OF_LINE = 256;

  private static final char FIRST_MERGED = END_OF_LINE + 1;
  private static final Pattern WORD =
      Pattern.compile(" ?(?:\\p{L}{1,64}|\\p{N}{1,64}|[^\\s\\p{L}\\p{N}]{1,64})|\\s{1,64}?");

  /** Words whose tokens are remembered. */
  private static final int REMEMBERED = 1 << 17;

  private final List<Integer> pairs;
  private final Map<Integer, Character> tokens = new HashMap<>();
  private final Map<String, char[]> encoded = new HashMap<>();

  private Vocabulary(List<Integer> pairs) {
    this.pairs = pairs;
    for (int i = 0; i < pairs.size(); i++) {
      tokens.put(pairs.get(i), (char) (FIRST_MERGED + i));
    }
  }

  /** Learns from the frequencies of {@link #words}; smaller than asked for if they give no more. */
  static Vocabulary learn(Map<String, Long> frequencies, int size) {
    if (size < FIRST_MERGED || size > Character.MAX_VALUE) {
      throw new IllegalArgumentException("a vocabulary of %d tokens".formatted(size));
    }
    return new Vocabulary(new BytePairs(frequencies).learn(FIRST_MERGED, size - FIRST_MERGED));
  }

  /** The words of a line, each as its bytes: characters from 0 to 255. */
  static void words(String line, Consumer<String> consumer) {
    Matcher matcher = WORD.matcher(line);
    while (matcher.find()) {
      consumer.accept(new String(matcher.group().getBytes(UTF_8), ISO_8859_1));
    }
  }

  int size() {
    return FIRST_MERGED + pairs.size();
  }

  /** The tokens of a line, its end among them. */
  void encode(String line, Consumer<char[]> consumer) {
    words(line, word -> consumer.accept(tokens(word)));
    consumer.accept(new char[] {END_OF_LINE});
  }

  private char[] tokens(String word) {
    char[] known = encoded.get(word);
    if (known == null) {
      known = encode(word);
      if (encoded.size() == REMEMBERED) {
        encoded.clear();
      }
      encoded.put(word, known);
    }
    return known;
  }

  /** Merges in the order in which pairs were learned. */
  private char[] encode(String word) {
    char[] symbols = word.toCharArray();
    while (true) {
      char first = Character.MAX_VALUE;
      for (int i = 0; i + 1 < symbols.length; i++) {
        Character token = tokens.get(BytePairs.pair(symbols[i], symbols[i + 1]));
        first = token != null && token < first ? token : first;
      }
      if (first == Character.MAX_VALUE) {
        return symbols;
      }
      symbols = BytePairs.merged(symbols, pairs.get(first - FIRST_MERGED), first);
    }
  }

  /** The text of tokens; ends of lines are line feeds. */
  String decode(char... text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (char token : text) {
      for (int part : bytes(token)) {
        bytes.write(part);
      }
    }
    return bytes.toString(UTF_8);
  }

  private List<Integer> bytes(char token) {
    if (token < END_OF_LINE) {
      return List.of((int) token);
    }
    if (token == END_OF_LINE) {
      return List.of((int) '\n');
    }
    int pair = pairs.get(token - FIRST_MERGED);
    List<Integer> bytes = new ArrayList<>(bytes((char) (pair >>> 16)));
    bytes.addAll(bytes((char) pair));
    return bytes;
  }
}
