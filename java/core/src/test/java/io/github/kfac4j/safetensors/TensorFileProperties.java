package io.github.kfac4j.safetensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class TensorFileProperties {

  @Property(tries = 300)
  void writingAndReadingGivesTheSame(@ForAll("files") TensorFile content) throws IOException {
    Path file = Files.createTempFile("kfac", ".safetensors");
    try {
      content.write(file);
      byte[] bytes = Files.readAllBytes(file);
      TensorFile read = TensorFile.read(file);
      assertThat(read).isEqualTo(content);
      read.write(file);
      assertThat(Files.readAllBytes(file)).isEqualTo(bytes); // the layout is a fixed point
    } finally {
      Files.delete(file);
    }
  }

  @Provide
  Arbitrary<TensorFile> files() {
    Arbitrary<String> names =
        Arbitraries.strings()
            .withCharRange('\0', '\u07ff')
            .ofMaxLength(8)
            .filter(name -> !name.equals("__metadata__"));
    Arbitrary<Map<String, StoredTensor>> tensors = Arbitraries.maps(names, tensor()).ofMaxSize(6);
    Arbitrary<Map<String, String>> metadata = Arbitraries.maps(names, names).ofMaxSize(3);
    return Combinators.combine(tensors, metadata).as(TensorFile::new);
  }

  private static Arbitrary<StoredTensor> tensor() {
    Arbitrary<Long> extents = Arbitraries.longs().between(0, 5);
    return Combinators.combine(
            Arbitraries.of(DType.class).filter(dtype -> dtype != DType.OTHER),
            extents.array(Long[].class).ofMaxSize(3),
            Arbitraries.longs())
        .as(
            (dtype, extent, seed) -> {
              // four elements of 4 or 6 bits are whole bytes
              LongStream last = dtype.bits() < Byte.SIZE ? LongStream.of(4) : LongStream.empty();
              LongStream others = Arrays.stream(extent).mapToLong(Long::longValue);
              long[] shape = LongStream.concat(others, last).toArray();
              byte[] data = new byte[(int) StoredTensor.byteCount(dtype, shape)];
              new Random(seed).nextBytes(data);
              return StoredTensor.of(dtype, ByteBuffer.wrap(data), shape);
            });
  }
}
