package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.distributed.collectives.Buffers;
import io.github.kfac4j.distributed.collectives.Collectives;
import io.github.kfac4j.distributed.exchange.Frames;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Copies named tensors between ranks. */
public final class TensorExchange {
  private final Collectives collectives;

  public TensorExchange(Collectives collectives) {
    this.collectives = collectives;
  }

  /**
   * The tensors of one rank, on all ranks.
   *
   * @param mine what this rank has; used if it is the root
   */
  public Map<String, StoredTensor> broadcast(Map<String, StoredTensor> mine, int root) {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    boolean here = collectives.rank() == root;
    byte[] table = broadcast(here ? Frames.bytes(out -> writeTable(mine, out)) : null, root);
    Map<String, StoredTensor> shapes = Frames.read(table, TensorExchange::readTable);
    shapes.forEach(
        (name, empty) -> {
          ByteBuffer data = here ? direct(mine.get(name)) : empty.data();
          collectives.broadcast(data, root).await();
          tensors.put(name, here ? mine.get(name) : empty);
        });
    return tensors;
  }

  /**
   * Sends tensors to some ranks.
   *
   * @param toRank what each rank receives from this one
   * @return what this rank received from each
   */
  public Map<String, StoredTensor> exchange(List<Map<String, StoredTensor>> toRank) {
    List<byte[]> messages = toRank.stream().map(TensorExchange::encode).toList();
    int[] out = messages.stream().mapToInt(message -> message.length).toArray();
    int[] in = new int[out.length];
    List<byte[]> counts =
        Frames.gather(
            collectives,
            Frames.bytes(
                stream -> {
                  for (int count : out) {
                    stream.writeInt(count);
                  }
                }));
    for (int rank = 0; rank < in.length; rank++) {
      in[rank] = ByteBuffer.wrap(counts.get(rank)).getInt(Integer.BYTES * collectives.rank());
    }
    ByteBuffer send = Buffers.bytes(Buffers.sum(out));
    messages.forEach(send::put);
    ByteBuffer receive = Buffers.bytes(Buffers.sum(in));
    collectives.allToAll(send.flip(), out, receive, in).await();
    Map<String, StoredTensor> received = new LinkedHashMap<>();
    for (int count : in) {
      byte[] message = new byte[count];
      receive.get(message);
      received.putAll(decode(message));
    }
    return received;
  }

  private static byte[] encode(Map<String, StoredTensor> tensors) {
    return Frames.bytes(
        out -> {
          writeTable(tensors, out);
          for (StoredTensor tensor : tensors.values()) {
            byte[] data = new byte[tensor.data().remaining()];
            tensor.data().get(data);
            out.write(data);
          }
        });
  }

  private static Map<String, StoredTensor> decode(byte[] message) {
    return Frames.read(
        message,
        in -> {
          Map<String, StoredTensor> tensors = readTable(in);
          for (StoredTensor tensor : tensors.values()) {
            ByteBuffer data = tensor.data();
            data.put(in.readNBytes(data.remaining()));
          }
          return tensors;
        });
  }

  private static ByteBuffer direct(StoredTensor tensor) {
    ByteBuffer data = tensor.data();
    return data.isDirect() ? data : Buffers.bytes(data.remaining()).put(data).flip();
  }

  private byte[] broadcast(byte[] message, int root) {
    ByteBuffer length = Buffers.bytes(Integer.BYTES);
    length.putInt(0, message == null ? 0 : message.length);
    collectives.broadcast(length, root).await();
    ByteBuffer bytes = Buffers.bytes(length.getInt(0));
    if (message != null) {
      bytes.put(message).flip();
    }
    collectives.broadcast(bytes, root).await();
    byte[] received = new byte[bytes.remaining()];
    bytes.get(received);
    return received;
  }

  private static void writeTable(Map<String, StoredTensor> tensors, DataOutputStream out)
      throws IOException {
    out.writeInt(tensors.size());
    for (Map.Entry<String, StoredTensor> entry : tensors.entrySet()) {
      StoredTensor tensor = entry.getValue();
      out.writeUTF(entry.getKey());
      out.writeByte(tensor.dtype().ordinal());
      out.writeInt(tensor.shape().length);
      for (long extent : tensor.shape()) {
        out.writeLong(extent);
      }
    }
  }

  /** Zeros of the given types and shapes. */
  private static Map<String, StoredTensor> readTable(DataInputStream in) throws IOException {
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (int i = in.readInt(); i > 0; i--) {
      String name = in.readUTF();
      DType dtype = DType.values()[in.readByte()];
      long[] shape = new long[in.readInt()];
      for (int d = 0; d < shape.length; d++) {
        shape[d] = in.readLong();
      }
      long bytes = StoredTensor.byteCount(dtype, shape);
      ByteBuffer data = Buffers.bytes(Math.toIntExact(bytes)).order(ByteOrder.LITTLE_ENDIAN);
      tensors.put(name, StoredTensor.of(dtype, data, shape));
    }
    return tensors;
  }
}
