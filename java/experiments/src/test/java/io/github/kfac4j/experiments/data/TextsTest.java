package io.github.kfac4j.experiments.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextsTest {
  /** The 256 bytes and the end of a line: every character is a token. */
  private static final TextForm LETTERS = new TextForm(257, 5);

  @TempDir Path directory;

  @Test
  void sequencesFollowOneAnotherAndEachTokenIsLabelledByTheNext() throws IOException {
    Files.writeString(directory.resolve("b.txt"), lines("b", 200));
    Files.writeString(directory.resolve("a.txt"), lines("a", 200));
    Files.writeString(directory.resolve("notes.md"), "no text of this data set");
    Dataset data = load(LETTERS);
    String train = text(data.train());
    assertThat(train).startsWith("a").doesNotContain("no text");
    assertThat(train.indexOf('b')).isGreaterThan(train.lastIndexOf('a'));
    BatchReader reader = BatchReader.training(data, 2, false, 1);
    reader.read(new int[] {3, 0}, 7);
    assertThat(floats(reader.inputs())).isEqualTo(train.substring(15, 20) + train.substring(0, 5));
    assertThat(floats(reader.labels())).isEqualTo(train.substring(16, 21) + train.substring(1, 6));
    reader.read(new int[] {3, 0}, 1, 2, 7);
    assertThat(floats(reader.inputs())).isEqualTo(train.substring(0, 5));
  }

  @Test
  void everyLineIsInOnePartAlwaysTheSame() throws IOException {
    String all = lines("line ", 4_000);
    Files.writeString(directory.resolve("a.txt"), all);
    Dataset data = load(LETTERS);
    List<String> found = new ArrayList<>();
    for (Examples part : List.of(data.train(), data.validation(), data.test())) {
      // whole sequences alone: the last line of a part may be cut
      List<String> of = text(part).lines().toList();
      found.addAll(of.subList(0, of.size() - 1));
      assertThat(part.shape()).containsExactly(5);
      assertThat(part.classes()).isEqualTo(257);
    }
    assertThat(found).doesNotHaveDuplicates().hasSizeGreaterThan(3_990);
    assertThat(all.lines().toList()).containsAll(found);
    assertThat(lineCount(data.validation())).isBetween(150L, 250L);
    assertThat(lineCount(data.test())).isBetween(150L, 250L);
    assertThat(text(load(LETTERS).validation())).isEqualTo(text(data.validation()));
    assertThat(data.describe())
        .startsWith("text: " + directory + "; ")
        .endsWith(
            " validation sequences (one line in 20 drawn for validation and one for the test,"
                + " always the same; sequences of 5 tokens of 257)");
  }

  private static long lineCount(Examples part) {
    return text(part).lines().count();
  }

  @Test
  void readsShardsOfLm1bAndSaysHowMany() throws IOException {
    Path root = directory.resolve("1-billion-word-language-modeling-benchmark-r13output");
    Path training = root.resolve("training-monolingual.tokenized.shuffled");
    Path heldOut = root.resolve("heldout-monolingual.tokenized.shuffled");
    Files.createDirectories(training);
    Files.createDirectories(heldOut);
    assertRefused(DatasetName.LM1B, training + " has no file news.en-00001-of-00100[.gz]");
    Files.writeString(training.resolve("news.en-00002-of-00100"), lines("second", 9));
    Files.write(training.resolve("news.en-00001-of-00100.gz"), gzip(lines("first", 9)));
    assertRefused(DatasetName.LM1B, heldOut + " has no file news.en.heldout-00000-of-00050[.gz]");
    Files.writeString(heldOut.resolve("news.en.heldout-00000-of-00050"), lines("valid", 4));
    Files.writeString(heldOut.resolve("news.en.heldout-00001-of-00050"), lines("test", 4));
    Dataset data = Datasets.loadText(DatasetName.LM1B, Optional.of(directory), LETTERS);
    assertThat(text(data.train())).startsWith("first0\n").contains("first8\nsecond0\n");
    assertThat(text(data.validation())).startsWith("valid0\nvalid1\n");
    assertThat(text(data.test())).startsWith("test0\n");
    assertThat(data.split())
        .isEqualTo(
            "2 of 99 training shards; validation on the first one held out; sequences of 5 tokens"
                + " of 257");
  }

  @Test
  void refusesMissingEmptyAndDamagedFilesByName() throws IOException {
    assertThatThrownBy(() -> Datasets.loadText(DatasetName.TEXT, Optional.empty(), LETTERS))
        .hasMessage("--data text: name its folder with --data-dir");
    assertRefused(DatasetName.TEXT, directory + " has no file *.txt[.gz]");
    Path file = directory.resolve("a.txt");
    for (String empty : List.of("", "\n \n")) {
      Files.writeString(file, empty);
      assertRefused(DatasetName.TEXT, file + " is empty: it has no line of text");
    }
    Files.write(file, new byte[] {'o', 'k', '\n', 'n', (byte) 0xc3, '(', '\n'});
    assertRefused(DatasetName.TEXT, file + " is damaged: line 2 has bytes that are not UTF-8");
    Files.write(file, new byte[] {'o', 'k', '\n', '\n', 'n', 0});
    assertRefused(
        DatasetName.TEXT, file + " is damaged: line 3 has a zero byte, which is in no text");
    byte[] endless = new byte[(1 << 20) + 1];
    Arrays.fill(endless, (byte) 'x');
    Files.write(file, endless);
    assertRefused(DatasetName.TEXT, file + " is damaged: line 1 has more than 1,048,576 bytes");
    Files.delete(file);
    Path packed = directory.resolve("a.txt.gz");
    byte[] whole = gzip(lines("x", 1_000));
    Files.write(packed, Arrays.copyOf(whole, whole.length - 9));
    assertRefused(DatasetName.TEXT, packed + " is damaged: Unexpected end of ZLIB input stream");
    Files.delete(packed);
    Files.createDirectory(file);
    assertThatThrownBy(() -> load(LETTERS))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(file + " cannot be read: ");
  }

  @Test
  void refusesTooLittleText() throws IOException {
    Files.writeString(directory.resolve("a.txt"), "abcdefgh\n");
    assertThatThrownBy(() -> load(LETTERS))
        .isInstanceOf(BadInputException.class)
        .hasMessageStartingWith(directory + " has too little text: ");
    Files.writeString(directory.resolve("a.txt"), lines("x", 1_000));
    assertThatThrownBy(() -> load(new TextForm(20_000, 5)))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("tokens, the network has 20,000");
  }

  private void assertRefused(DatasetName name, String message) {
    assertThatThrownBy(() -> Datasets.loadText(name, Optional.of(directory), LETTERS))
        .isInstanceOf(BadInputException.class)
        .hasMessage(message);
  }

  private Dataset load(TextForm form) {
    return Datasets.loadText(DatasetName.TEXT, Optional.of(directory), form);
  }

  private static String lines(String start, int count) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < count; i++) {
      text.append(start).append(i).append('\n');
    }
    return text.toString();
  }

  private static byte[] gzip(String text) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return packed.toByteArray();
  }

  /** The text of all sequences, of which tokens are letters. */
  private static String text(Examples part) {
    Dataset data = new Dataset("d", "s", "x", part, part, null);
    BatchReader reader = BatchReader.validation(data, 1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < part.count(); i++) {
      reader.read(new int[] {i}, 0);
      text.append(floats(reader.inputs()));
    }
    return text.toString();
  }

  private static String floats(java.nio.ByteBuffer tokens) {
    StringBuilder text = new StringBuilder();
    while (tokens.hasRemaining()) {
      char token = (char) tokens.getFloat();
      text.append(token == Vocabulary.END_OF_LINE ? '\n' : token);
    }
    return text.toString();
  }
}
