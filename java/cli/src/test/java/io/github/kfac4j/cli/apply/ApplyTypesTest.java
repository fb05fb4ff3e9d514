package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Element types other than F32 and F64: numbers are read exactly, what is not used is left. */
class ApplyTypesTest {
  private static final String LAYERS =
      """
      {"layers":[{"name":"fc","type":"dense","in_features":3,"out_features":2,"bias":true},
      {"name":"words","type":"embedding","vocabulary":5,"width":2}]}\
      """;

  @TempDir Path directory;
  private Bench bench;

  /** Quarters between -2 and 2, exact in every floating type. */
  @BeforeEach
  void input() {
    bench = new Bench(directory);
    Random random = new Random(9);
    put(random, "fc.input", 4, 3);
    put(random, "fc.output_grad", 4, 2);
    put(random, "fc.weight_grad", 2, 3);
    put(random, "fc.bias_grad", 2);
    bench.put("words.input", DType.F32, new double[] {0, 4, 4, 1}, 4);
    put(random, "words.output_grad", 4, 2);
    put(random, "words.weight_grad", 5, 2);
  }

  private void put(Random random, String name, long... shape) {
    int size = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    bench.put(name, DType.F32, random.ints(size, -8, 9).mapToDouble(i -> i / 4.0).toArray(), shape);
  }

  private Map<String, StoredTensor> results() {
    Cli.Outcome outcome = bench.run(LAYERS, "--backend", "java");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    return bench.results();
  }

  private static StoredTensor as(DType dtype, StoredTensor tensor) {
    double[] values = Bench.values(tensor);
    ByteBuffer bytes =
        ByteBuffer.allocate(values.length * dtype.bits() / 8).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      switch (dtype) {
        case U8, I8 -> bytes.put((byte) value);
        case I16, U16 -> bytes.putShort((short) value);
        case I32, U32 -> bytes.putInt((int) value);
        case I64 -> bytes.putLong((long) value);
        case BF16 -> bytes.putShort((short) (Float.floatToIntBits((float) value) >>> 16));
        case F16 -> bytes.putShort(half(value));
        default -> throw new IllegalArgumentException(dtype.name());
      }
    }
    return StoredTensor.of(dtype, bytes.flip(), tensor.shape());
  }

  /** Of a normal number with few bits. */
  private static short half(double value) {
    if (value == 0) {
      return 0;
    }
    int exponent = Math.getExponent(value);
    int mantissa = (int) (Math.abs(value) / Math.scalb(1.0, exponent) * 1024) - 1024;
    return (short) ((value < 0 ? 0x8000 : 0) | exponent + 15 << 10 | mantissa);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16"})
  void sixteenBitsAreTheNumbersThatTheyAre(DType dtype) {
    Map<String, StoredTensor> expected = results();
    new LinkedHashMap<>(bench.tensors).forEach((n, t) -> bench.tensors.put(n, as(dtype, t)));
    assertThat(results()).isEqualTo(expected);
    assertThat(expected.values()).allMatch(t -> t.dtype() == DType.F32);
  }

  @ParameterizedTest
  @EnumSource(names = {"U8", "I8", "I16", "U16", "I32", "U32", "I64"})
  void tokenNumbersMayBeIntegers(DType dtype) {
    Map<String, StoredTensor> expected = results();
    bench.tensors.put("words.input", as(dtype, bench.tensors.get("words.input")));
    assertThat(results()).isEqualTo(expected);
  }

  @Test
  void withIntegersTheGradientDecidesAboutTheType() {
    bench.tensors.put("words.input", as(DType.I64, bench.tensors.get("words.input")));
    for (String name : new String[] {"words.output_grad", "words.weight_grad"}) {
      StoredTensor tensor = bench.tensors.get(name);
      bench.put(name, DType.F64, Bench.values(tensor), tensor.shape());
    }
    Map<String, StoredTensor> results = results();
    assertThat(results.get("words.weight_grad").dtype()).isEqualTo(DType.F64);
    assertThat(results.get("words.G").dtype()).isEqualTo(DType.F64);
    assertThat(results.get("fc.G").dtype()).isEqualTo(DType.F32);
  }

  @Test
  void tensorsThatAreNotUsedMayHaveAnyType() {
    Map<String, StoredTensor> expected = results();
    for (DType dtype : DType.values()) {
      if (dtype != DType.OTHER) {
        ByteBuffer bytes = ByteBuffer.allocate(dtype.bits());
        bench.tensors.put("old." + dtype, StoredTensor.of(dtype, bytes, 8));
      }
    }
    assertThat(results()).isEqualTo(expected);
  }

  @ParameterizedTest
  @EnumSource(names = {"BOOL", "F8_E4M3", "F8_E5M2", "I32", "U64", "C64", "F4"})
  void aTypeThatCannotBeReadIsNamedWhereItIsNeeded(DType dtype) {
    bench.tensors.put(
        "fc.weight_grad", StoredTensor.of(dtype, ByteBuffer.allocate(6 * dtype.bits() / 8), 2, 3));
    Cli.Outcome outcome = bench.run(LAYERS);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err())
        .hasLineCount(1)
        .contains("layer 'fc': tensor 'fc.weight_grad' has dtype " + dtype + ", expected one of");
  }

  @Test
  void halfPrecisionThatIsNotFiniteIsRefused() {
    ByteBuffer bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putShort((short) 0x3c00).putShort((short) 0x7c00).flip();
    bench.tensors.put("fc.bias_grad", StoredTensor.of(DType.F16, bytes, 2));
    Cli.Outcome outcome = bench.run(LAYERS);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err())
        .contains("layer 'fc': bias gradient holds a NaN or infinity at flat index 1");
  }

  @Test
  void aTokenBeyondTheVocabularyIsNamed() {
    bench.tensors.put("words.input", StoredTensor.of(new long[] {0, 1, Long.MAX_VALUE, 2}, 4));
    Cli.Outcome outcome = bench.run(LAYERS);
    assertThat(outcome.exitCode()).isEqualTo(2);
    assertThat(outcome.err())
        .contains("layer 'words': input holds 9.223372036854776E18 at flat index 2");
  }
}
