package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kfac4j.experiments.BadInputException;
import java.io.ByteArrayInputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Any bytes are images and labels, or refused by the name of their file. */
class DataFuzzTest {
  /** The first byte tells how many of the others are images. */
  @FuzzTest
  void idxFilesAreReadOrRefused(byte[] bytes) {
    int split = bytes.length == 0 ? 0 : Math.min(bytes.length, 1 + (bytes[0] & 0xff));
    try {
      DataFile images = file("images", Arrays.copyOfRange(bytes, Math.min(1, split), split));
      DataFile labels = file("labels", Arrays.copyOfRange(bytes, split, bytes.length));
      Images read = IdxFile.images(images, labels);
      assertThat(read.count()).isPositive();
    } catch (BadInputException e) {
      assertThat(e.getMessage()).containsAnyOf("images", "labels");
    }
  }

  @FuzzTest
  void cifarFilesAreReadOrRefused(byte[] bytes) {
    try {
      assertThat(CifarFile.images(List.of(file("records", bytes))).count()).isPositive();
    } catch (BadInputException e) {
      assertThat(e).hasMessageContaining("records");
    }
  }

  @FuzzTest
  void textsAreReadOrRefused(byte[] bytes) {
    List<String> lines = new ArrayList<>();
    try {
      TextFile.read("text", new ByteArrayInputStream(bytes), lines::add);
      assertThat(lines).isNotEmpty();
    } catch (BadInputException e) {
      assertThat(e).hasMessageStartingWith("text ");
    }
    Map<String, Long> words = new HashMap<>();
    lines.forEach(line -> Vocabulary.words(line, word -> words.merge(word, 1L, Long::sum)));
    Vocabulary vocabulary = Vocabulary.learn(words, 300);
    for (String line : lines) {
      StringBuilder tokens = new StringBuilder();
      vocabulary.encode(line, tokens::append);
      assertThat(vocabulary.decode(tokens.toString().toCharArray())).isEqualTo(line + "\n");
    }
  }

  private static DataFile file(String name, byte[] bytes) {
    return DataFile.read(name, new ByteArrayInputStream(bytes));
  }
}
