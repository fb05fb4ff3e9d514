package io.github.kfac4j.distributed.exchange;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Short messages of every rank to every rank. */
public final class Frames {
  private Frames() {}

  /** Writes a message. */
  public interface Writer {
    void write(DataOutputStream out) throws IOException;
  }

  /** Reads one. */
  public interface Reader<T> {
    T read(DataInputStream in) throws IOException;
  }

  public static byte[] bytes(Writer writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      writer.write(new DataOutputStream(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return bytes.toByteArray();
  }

  public static <T> T read(byte[] message, Reader<T> reader) {
    try {
      return reader.read(new DataInputStream(new ByteArrayInputStream(message)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The messages of all ranks, in their order. */
  public static List<byte[]> gather(Collectives collectives, byte[] mine) {
    int ranks = collectives.size();
    int[] four = new int[ranks];
    Arrays.fill(four, Integer.BYTES);
    ByteBuffer length = Buffers.bytes(Integer.BYTES).putInt(0, mine.length);
    ByteBuffer lengths = Buffers.bytes(Integer.BYTES * ranks);
    collectives.allGather(length, four, lengths).await();
    int[] counts = new int[ranks];
    lengths.asIntBuffer().get(counts);

    ByteBuffer all = Buffers.bytes(Buffers.sum(counts));
    collectives.allGather(Buffers.bytes(mine.length).put(mine).flip(), counts, all).await();
    List<byte[]> messages = new ArrayList<>();
    for (int count : counts) {
      byte[] message = new byte[count];
      all.get(message);
      messages.add(message);
    }
    return messages;
  }
}
