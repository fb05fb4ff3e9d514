package io.github.kfac4j.safetensors;

import io.github.kfac4j.files.AtomicFile;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The content of a safetensors file: named tensors in order, and string metadata.
 *
 * <p>{@link #write} adds a CRC-32C of metadata, names, types, shapes and data to the metadata.
 * {@link #read} verifies it when it is present, {@link #readChecked} demands it; both leave it out
 * of {@link #metadata}.
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
   * Writes the file atomically, as {@link AtomicFile} does: on failure an existing file keeps its
   * content.
   *
   * @throws SafetensorsException if the directory cannot be written, something that is no regular
   *     file is in the way, or a name is not valid Unicode
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
   * @throws SafetensorsException if the file is missing, no regular file, damaged, truncated or not
   *     safetensors, if a tensor has 2 GiB or more, or all of them more than the direct memory that
   *     java may use; the message names file and reason
   */
  public static TensorFile read(Path file) throws IOException {
    return read(file, name -> true);
  }

  /**
   * Reads a whole file that {@link #write} wrote: one without a checksum is refused.
   *
   * @throws SafetensorsException as {@link #read(Path)}, or if there is no checksum
   */
  public static TensorFile readChecked(Path file) throws IOException {
    return read(file, name -> true, true);
  }

  /**
   * Reads some tensors of a file. The others are not looked at, however large they are, unless the
   * file has a checksum.
   *
   * @param wanted is asked with the name of each tensor, in the file's order
   * @throws SafetensorsException as {@link #read(Path)}
   */
  public static TensorFile read(Path file, Predicate<String> wanted) throws IOException {
    return read(file, wanted, false);
  }

  private static TensorFile read(Path file, Predicate<String> wanted, boolean checked)
      throws IOException {
    try (FileChannel channel = RegularFile.open(file)) {
      return read(channel, wanted, checked);
    } catch (InvalidHeaderException e) {
      throw new SafetensorsException(file, e.getMessage(), e);
    } catch (IOException e) {
      throw new SafetensorsException(file, "cannot be read: " + reason(e), e);
    } catch (OutOfMemoryError e) {
      throw new SafetensorsException(
          file, "its header takes more memory than java may use; raise -Xmx", e);
    }
  }

  private static String reason(IOException e) {
    if (e instanceof NoSuchFileException) {
      return "no such file or directory";
    }
    if (e instanceof AccessDeniedException) {
      return "access denied";
    }
    if (e instanceof ClosedByInterruptException) {
      return "the thread was interrupted";
    }
    return e instanceof FileSystemException problem && problem.getReason() != null
        ? problem.getReason()
        : String.valueOf(e.getMessage());
  }

  private static TensorFile read(FileChannel channel, Predicate<String> wanted, boolean checked)
      throws IOException, InvalidHeaderException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new InvalidHeaderException("not a safetensors file: only %d bytes".formatted(size));
    }
    long headerBytes = fill(channel, allocate("length", Long.BYTES)).getLong();
    if (headerBytes < 2 || headerBytes > Header.MAX_BYTES) {
      throw new InvalidHeaderException(
          "not a safetensors file: header length %s".formatted(Long.toUnsignedString(headerBytes)));
    }
    if (headerBytes > size - Long.BYTES) {
      throw new InvalidHeaderException(
          "truncated: header of %d bytes in a file of %d".formatted(headerBytes, size));
    }
    long dataStart = Long.BYTES + headerBytes;
    ByteBuffer text = fill(channel, allocate("header", headerBytes));
    Header header = Header.decode(text, size - dataStart);
    Map<String, String> metadata = new LinkedHashMap<>(header.metadata());
    String expected = metadata.remove(Checksum.KEY);
    if (checked && expected == null) {
      throw new InvalidHeaderException(
          "has no checksum (%s in the metadata): damaged, or written by another program"
              .formatted(Checksum.KEY));
    }
    Map<Header.Entry, ByteBuffer> buffers = new LinkedHashMap<>();
    Set<String> others = new HashSet<>();
    for (Header.Entry entry : header.entries()) {
      boolean isWanted = wanted.test(entry.name());
      if (!isWanted) {
        others.add(entry.name());
      }
      if (isWanted || expected != null) {
        buffers.put(entry, null);
      }
    }
    allocate(buffers);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<Header.Entry, ByteBuffer> part : buffers.entrySet()) {
      Header.Entry entry = part.getKey();
      channel.position(dataStart + entry.begin());
      ByteBuffer data = fill(channel, part.getValue());
      tensors.put(entry.name(), new StoredTensor(entry.type(), entry.shape(), data));
    }
    if (expected != null && !expected.equals(Checksum.of(tensors, metadata))) {
      throw new InvalidHeaderException(
          "damaged: content does not match its checksum (%s in the metadata)"
              .formatted(Checksum.KEY));
    }
    tensors.keySet().removeAll(others);
    return new TensorFile(tensors, metadata);
  }

  /** All memory is there, or not, before anything is read. */
  private static void allocate(Map<Header.Entry, ByteBuffer> buffers)
      throws InvalidHeaderException {
    long total = 0;
    for (Header.Entry entry : buffers.keySet()) {
      total += entry.bytes(); // within the file
    }
    try {
      for (Map.Entry<Header.Entry, ByteBuffer> part : buffers.entrySet()) {
        Header.Entry entry = part.getKey();
        part.setValue(allocate("tensor '" + entry.name() + "'", entry.bytes()));
      }
    } catch (OutOfMemoryError e) {
      throw new InvalidHeaderException(
          "its tensors take %,d bytes, more direct memory than java may use; raise -Xmx or -XX:MaxDirectMemorySize"
              .formatted(total));
    }
  }

  private static ByteBuffer allocate(String what, long count) throws InvalidHeaderException {
    if (count > Integer.MAX_VALUE) {
      throw new InvalidHeaderException("%s of %d bytes is too large".formatted(what, count));
    }
    return ByteBuffer.allocateDirect((int) count).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer fill(FileChannel channel, ByteBuffer buffer)
      throws IOException, InvalidHeaderException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new InvalidHeaderException("truncated while it was read");
      }
    }
    return buffer.flip();
  }
}
