package io.github.kfac4j.safetensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The content of a safetensors file: named tensors in order, and string metadata.
 *
 * <p>{@link #write} adds a CRC-32C of the content to the metadata; {@link #read} verifies it when
 * it is present and leaves it out of {@link #metadata}.
 *
 * @param tensors by name, in the order of writing or reading
 * @param metadata free strings
 */
public record TensorFile(Map<String, StoredTensor> tensors, Map<String, String> metadata) {

  /** Copies both maps; the order of the entries is kept. */
  public TensorFile {
    if (tensors.containsKey(Header.METADATA)) {
      throw new IllegalArgumentException("a tensor cannot be named " + Header.METADATA);
    }
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }

  /**
   * Writes the file atomically: a temporary file in the same directory is written, forced to disk
   * and renamed. On failure an existing file keeps its content. Two threads of one process must not
   * write the same file at the same time.
   *
   * @throws SafetensorsException if the directory cannot be written or a name is not valid Unicode
   */
  public void write(Path file) throws IOException {
    Map<String, String> withChecksum = new LinkedHashMap<>(metadata);
    withChecksum.put(Checksum.KEY, Checksum.of(tensors, metadata));
    Header header = Header.layOut(tensors, withChecksum);
    try {
      ByteBuffer text = header.encode();
      ByteBuffer length = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
      length.putLong(0, text.remaining());
      List<ByteBuffer> parts = new ArrayList<>(List.of(length, text));
      header.entries().forEach(entry -> parts.add(tensors.get(entry.name()).data()));
      AtomicFile.write(file, parts);
    } catch (CharacterCodingException e) {
      throw new SafetensorsException(file, "a name or metadata string is not valid Unicode", e);
    } catch (IOException e) {
      throw new SafetensorsException(file, "cannot be written: " + reason(e), e);
    }
  }

  /**
   * Reads and verifies a whole file.
   *
   * @throws SafetensorsException if the file is missing, damaged, truncated or not safetensors, or
   *     a tensor has 2 GiB or more; the message names file and reason
   */
  public static TensorFile read(Path file) throws IOException {
    return read(file, name -> true);
  }

  /**
   * Reads some tensors of a file. The others are not looked at, however large they are, unless the
   * file has a checksum.
   *
   * @param wanted is asked with the name of each tensor, in the file's order
   * @throws SafetensorsException as {@link #read(Path)}
   */
  public static TensorFile read(Path file, Predicate<String> wanted) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      return read(channel, wanted);
    } catch (InvalidHeaderException e) {
      throw new SafetensorsException(file, e.getMessage(), e);
    } catch (IOException e) {
      throw new SafetensorsException(
          file, Files.isDirectory(file) ? "is a directory" : "cannot be read: " + reason(e), e);
    }
  }

  private static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    return e instanceof AccessDeniedException ? "access denied" : String.valueOf(e.getMessage());
  }

  private static TensorFile read(FileChannel channel, Predicate<String> wanted)
      throws IOException, InvalidHeaderException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new InvalidHeaderException("not a safetensors file: only %d bytes".formatted(size));
    }
    long headerBytes = bytes(channel, "length", Long.BYTES).getLong();
    if (headerBytes < 2 || headerBytes > Header.MAX_BYTES) {
      throw new InvalidHeaderException(
          "not a safetensors file: header length %s".formatted(Long.toUnsignedString(headerBytes)));
    }
    if (headerBytes > size - Long.BYTES) {
      throw new InvalidHeaderException(
          "truncated: header of %d bytes in a file of %d".formatted(headerBytes, size));
    }
    long dataStart = Long.BYTES + headerBytes;
    Header header = Header.decode(bytes(channel, "header", headerBytes), size - dataStart);
    Map<String, String> metadata = new LinkedHashMap<>(header.metadata());
    String expected = metadata.remove(Checksum.KEY);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    List<String> others = new ArrayList<>();
    for (Header.Entry entry : header.entries()) {
      if (!wanted.test(entry.name())) {
        others.add(entry.name());
        if (expected == null) {
          continue;
        }
      }
      channel.position(dataStart + entry.begin());
      ByteBuffer data = bytes(channel, "tensor '" + entry.name() + "'", entry.bytes());
      tensors.put(entry.name(), new StoredTensor(entry.type(), entry.shape(), data));
    }
    if (expected != null && !expected.equals(Checksum.of(tensors, metadata))) {
      throw new InvalidHeaderException(
          "damaged: content does not match its checksum (%s in the metadata)"
              .formatted(Checksum.KEY));
    }
    others.forEach(tensors::remove);
    return new TensorFile(tensors, metadata);
  }

  private static ByteBuffer bytes(FileChannel channel, String what, long count)
      throws IOException, InvalidHeaderException {
    if (count > Integer.MAX_VALUE) {
      throw new InvalidHeaderException("%s of %d bytes is too large".formatted(what, count));
    }
    ByteBuffer buffer = ByteBuffer.allocateDirect((int) count).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new InvalidHeaderException("truncated while it was read");
      }
    }
    return buffer.flip();
  }
}
