package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The JSON header: where each tensor lies in the data section, and the metadata. */
record Header(List<Entry> entries, Map<String, String> metadata) {
  /** Enough for 100,000 tensors; its objects take up to about 16 times as much memory. */
  static final long MAX_BYTES = 1 << 24;

  static final String METADATA = "__metadata__";

  /** One tensor; {@code begin} and {@code end} count bytes from the start of the data section. */
  record Entry(String name, String type, long[] shape, long begin, long end) {
    long bytes() {
      return end - begin;
    }
  }

  /** Lays the tensors out, widest elements first so that all are aligned. */
  static Header layOut(Map<String, StoredTensor> tensors, Map<String, String> metadata) {
    List<Map.Entry<String, StoredTensor>> order = new ArrayList<>(tensors.entrySet());
    order.sort(
        Comparator.comparingInt(
            (Map.Entry<String, StoredTensor> e) -> -e.getValue().dtype().bits()));
    List<Entry> entries = new ArrayList<>();
    long begin = 0;
    for (Map.Entry<String, StoredTensor> named : order) {
      StoredTensor tensor = named.getValue();
      long end = begin + tensor.data().remaining();
      entries.add(new Entry(named.getKey(), tensor.type(), tensor.shape(), begin, end));
      begin = end;
    }
    return new Header(entries, metadata);
  }

  /** UTF-8 text, padded with spaces to a multiple of 8 bytes. */
  ByteBuffer encode() throws CharacterCodingException {
    StringBuilder out = new StringBuilder("{");
    if (!metadata.isEmpty()) {
      Json.quote(METADATA, out);
      out.append(":{");
      metadata.forEach(
          (key, value) -> {
            Json.quote(key, out);
            out.append(':');
            Json.quote(value, out);
            out.append(',');
          });
      out.setCharAt(out.length() - 1, '}');
      out.append(',');
    }
    for (Entry entry : entries) {
      Json.quote(entry.name, out);
      out.append(":{\"dtype\":");
      Json.quote(entry.type, out);
      out.append(",\"shape\":").append(Arrays.toString(entry.shape).replace(" ", ""));
      out.append(",\"data_offsets\":[").append(entry.begin).append(',').append(entry.end);
      out.append("]},");
    }
    if (out.length() > 1) {
      out.setLength(out.length() - 1);
    }
    out.append('}');
    int bytes = UTF_8.newEncoder().encode(CharBuffer.wrap(out)).remaining();
    out.append(" ".repeat(Math.floorMod(-bytes, 8)));
    return UTF_8.newEncoder().encode(CharBuffer.wrap(out));
  }

  /** Parses and checks: the tensors must cover {@code dataBytes} bytes without gap or overlap. */
  static Header decode(ByteBuffer bytes, long dataBytes) throws InvalidHeaderException {
    String text;
    try {
      text = UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new InvalidHeaderException("header is not UTF-8 text");
    }
    Map<String, String> metadata = new LinkedHashMap<>();
    List<Entry> entries = new ArrayList<>();
    for (Map.Entry<String, Object> member : Json.parseObject(text).entrySet()) {
      if (member.getKey().equals(METADATA)) {
        metadata = metadata(member.getValue());
      } else {
        entries.add(entry(member.getKey(), member.getValue()));
      }
    }
    checkCoverage(entries, dataBytes);
    return new Header(entries, metadata);
  }

  private static Map<String, String> metadata(Object json) throws InvalidHeaderException {
    Map<String, String> metadata = new LinkedHashMap<>();
    if (!(json instanceof Map<?, ?> members)) {
      throw new InvalidHeaderException("header: " + METADATA + " is not an object");
    }
    for (Map.Entry<?, ?> member : members.entrySet()) {
      if (!(member.getValue() instanceof String value)) {
        throw new InvalidHeaderException(
            "header: metadata '%s' is not a string".formatted(member.getKey()));
      }
      metadata.put((String) member.getKey(), value);
    }
    return metadata;
  }

  private static Entry entry(String name, Object json) throws InvalidHeaderException {
    if (!(json instanceof Map<?, ?> fields)
        || fields.size() != 3
        || !(fields.get("dtype") instanceof String type)
        || !(fields.get("shape") instanceof List<?> shapeList)
        || !(fields.get("data_offsets") instanceof List<?> offsetList)
        || offsetList.size() != 2) {
      throw problem(name, "needs dtype, shape and two data_offsets, and nothing else");
    }
    long[] shape = longs(name, shapeList);
    long[] offsets = longs(name, offsetList);
    if (DType.named(type) != DType.OTHER) {
      requireSize(name, DType.named(type), shape, offsets);
    } else if (offsets[1] < offsets[0]) {
      throw problem(name, "has data_offsets %s that end early".formatted(Arrays.toString(offsets)));
    }
    return new Entry(name, type, shape, offsets[0], offsets[1]);
  }

  private static void requireSize(String name, DType dtype, long[] shape, long[] offsets)
      throws InvalidHeaderException {
    long expected;
    try {
      expected = StoredTensor.byteCount(dtype, shape);
    } catch (IllegalArgumentException e) {
      throw problem(name, "has an " + e.getMessage());
    }
    if (offsets[1] - offsets[0] != expected) {
      throw problem(
          name,
          "of shape %s needs %d bytes, its data_offsets are %s"
              .formatted(Arrays.toString(shape), expected, Arrays.toString(offsets)));
    }
  }

  private static long[] longs(String name, List<?> list) throws InvalidHeaderException {
    long[] values = new long[list.size()];
    for (int i = 0; i < values.length; i++) {
      if (!(list.get(i) instanceof Long value)) {
        throw problem(name, "has a shape or data_offsets that are not integers");
      }
      values[i] = value;
    }
    return values;
  }

  private static void checkCoverage(List<Entry> entries, long dataBytes)
      throws InvalidHeaderException {
    List<Entry> byOffset = new ArrayList<>(entries);
    byOffset.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    for (Entry entry : byOffset) {
      if (entry.begin != at) {
        throw problem(
            entry.name,
            "starts at byte %d of the data, %s"
                .formatted(
                    entry.begin,
                    entry.begin > at ? "leaving a gap after " + at : "inside another tensor"));
      }
      at = entry.end;
    }
    if (at > dataBytes) {
      throw new InvalidHeaderException(
          "truncated: %d bytes of data, the header promises %d".formatted(dataBytes, at));
    }
    if (at < dataBytes) {
      throw new InvalidHeaderException(
          "%d bytes after the last tensor belong to no tensor".formatted(dataBytes - at));
    }
  }

  private static InvalidHeaderException problem(String name, String what) {
    return new InvalidHeaderException("tensor '%s' %s".formatted(name, what));
  }
}
