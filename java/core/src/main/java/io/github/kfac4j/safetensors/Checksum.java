package io.github.kfac4j.safetensors;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * CRC-32C of the content: metadata, names, types, shapes and data, each sorted by name, so that a
 * faithful rewrite by another program, in whatever layout, keeps it valid.
 */
final class Checksum {
  static final String KEY = "kfac4j.crc32c";

  private Checksum() {}

  static String of(Map<String, StoredTensor> tensors, Map<String, String> metadata) {
    CRC32C crc = new CRC32C();
    new TreeMap<>(metadata)
        .forEach(
            (key, value) -> {
              if (!key.equals(KEY)) {
                crc.update((key + '\0' + value + '\0').getBytes(UTF_8));
              }
            });
    new TreeMap<>(tensors)
        .forEach(
            (name, tensor) -> {
              crc.update((name + '\0' + tensor + '\0').getBytes(UTF_8));
              crc.update(tensor.data());
            });
    return "%08x".formatted(crc.getValue());
  }
}
