package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.testkit.JavaCommand;
import io.github.kfac4j.testkit.Pipes;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Files that ask for more time, memory or screen than there is. */
class MonstrousFileTest {
  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void name() {
    file = directory.resolve("t.safetensors");
  }

  private void store(String header, long dataBytes) throws IOException {
    byte[] text = header.replace('\'', '"').getBytes(UTF_8);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(length.putLong(text.length).array());
      out.write(text);
      out.setLength(8 + text.length + dataBytes); // sparse
    }
  }

  /** Prints how a file is refused. */
  static final class Reading {
    private Reading() {}

    public static void main(String[] arguments) throws IOException {
      try {
        TensorFile.read(Path.of(arguments[0]));
      } catch (SafetensorsException e) {
        System.out.print(e.getMessage());
      }
    }
  }

  private String inASmallJvm() throws IOException, InterruptedException {
    List<String> command =
        JavaCommand.of(Reading.class.getName(), List.of("-Xmx32m"), List.of(file.toString()));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  @Test
  void aFileLargerThanTheMemoryIsRefusedWithItsSize() throws Exception {
    StringBuilder header = new StringBuilder("{'t0':");
    long size = 2_000_000_000;
    for (int i = 0; i < 20; i++) {
      header.append(i == 0 ? "" : ",'t" + i + "':");
      header.append(
          "{'dtype':'U8','shape':[%d],'data_offsets':[%d,%d]}"
              .formatted(size, i * size, (i + 1) * size));
    }
    store(header.append('}').toString(), 20 * size);
    assertThat(inASmallJvm())
        .startsWith(file + ": its tensors take 40,000,000,000 bytes, more direct memory than");
    store("{'x':{'dtype':'U8','shape':[1500000000],'data_offsets':[0,1500000000]}}", 1_500_000_000);
    assertThat(inASmallJvm()).contains("its tensors take 1,500,000,000 bytes");
  }

  @Test
  void aHeaderLargerThanTheMemoryIsRefused() throws Exception {
    String many = "[".concat("[],".repeat(4_000_000)).concat("[]]");
    store("{'x':{'dtype':'F32','shape':" + many + ",'data_offsets':[0,8]}}", 8);
    assertThat(inASmallJvm())
        .isEqualTo(file + ": its header takes more memory than java may use; raise -Xmx");
    store(" ".repeat(99_000_000), 0);
    assertThat(inASmallJvm()).contains("not a safetensors file: header length 99000000");
  }

  @Test
  @Timeout(60)
  void aPipeIsNotWaitedFor() throws Exception {
    assumeTrue(Pipes.make(file), "there is no mkfifo here");
    assertThatThrownBy(() -> TensorFile.read(file))
        .isInstanceOf(SafetensorsException.class)
        .hasMessage(file + ": cannot be read: is not a regular file");
  }

  @Test
  void whatAMessageQuotesIsCutAndPrintable() throws IOException {
    String name = "\\u001b[2J\\n" + "x".repeat(100_000);
    store("{'" + name + "':7}", 0);
    assertThatThrownBy(() -> TensorFile.read(file))
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(file.toString().length() + 400))
        .satisfies(e -> assertThat(e.getMessage()).doesNotContainPattern("\\p{Cntrl}"));
  }
}
