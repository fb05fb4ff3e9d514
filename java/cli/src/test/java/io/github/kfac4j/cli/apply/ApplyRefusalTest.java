package io.github.kfac4j.cli.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.safetensors.DType;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.testkit.Pipes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad input: exit code, one line that names what is wrong, and nothing written. */
class ApplyRefusalTest {
  private static final String GOOD =
      """
      {"layers":[{"name":"fc","type":"dense","in_features":2,"out_features":2,"bias":true},
      {"name":"conv","type":"conv2d","in_channels":2,"out_channels":4,"kernel":[2,2],"bias":false}],
      "damping":1e-3}\
      """;

  @TempDir Path directory;
  private Bench bench;

  @BeforeEach
  void goodInput() throws IOException {
    bench = new Bench(directory);
    Random random = new Random(1);
    put(random, "fc.input", 3, 2);
    put(random, "fc.output_grad", 3, 2);
    put(random, "fc.weight_grad", 2, 2);
    put(random, "fc.bias_grad", 2);
    put(random, "conv.input", 3, 2, 3, 3);
    put(random, "conv.output_grad", 3, 4, 2, 2);
    put(random, "conv.weight_grad", 4, 2, 2, 2);
    Files.writeString(bench.out, "precious");
  }

  private void put(Random random, String name, long... shape) {
    int size = (int) Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    bench.put(name, DType.F32, random.doubles(size, -1, 1).toArray(), shape);
  }

  private void refused(Cli.Outcome outcome, int exitCode, String... words) {
    assertThat(outcome.exitCode()).as(outcome.err()).isEqualTo(exitCode);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err()).hasLineCount(1).startsWith("kfac apply: ").contains(words);
    assertThat(bench.out).hasContent("precious");
    try (Stream<Path> files = Files.list(directory)) {
      assertThat(files.map(Path::getFileName).map(Path::toString))
          .isSubsetOf("c.json", "in.safetensors", "out.safetensors");
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void theGoodInputIsGood() {
    assertThat(bench.run(GOOD).exitCode()).isZero();
    assertThat(bench.results()).hasSize(7);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "\"damping\":1e-3      | \"damping\":0       | damping must be positive but is 0.0",
        "\"damping\":1e-3      | \"damping\":-1      | damping must be positive but is -1.0",
        "\"damping\":1e-3      | \"damping\":1e999   | damping must be positive but is Infinity",
        "\"damping\":1e-3      | \"damping\":\"1\"   | damping: ",
        "\"damping\":1e-3      | \"damping\":true    | damping: ",
        "\"damping\":1e-3      | \"dampen\":1        | dampen: unknown field; known are [",
        "\"damping\":1e-3      | \"decay\":1         | decay must be in [0, 1) but is 1.0",
        "\"damping\":1e-3      | \"kl_clip\":-2      | KL clip must be positive but is -2.0",
        "\"damping\":1e-3      | \"learning_rate\":0 | learning rate must be positive but is 0.0",
        "\"damping\":1e-3      | \"damping_mode\":\"none\"  | unknown damping_mode 'none'; known"
            + " are [factored, exact]",
        "\"damping\":1e-3      | \"convention\":\"jax\"     | unknown convention 'jax'; known are"
            + " [kfc, ",
        "\"damping\":1e-3      | \"approximation\":\"full\" | unknown approximation 'full'; known"
            + " are [kronecker, ",
        "\"damping\":1e-3      | \"convention\":\"kfac-pytorch\",\"approximation\":\"ekfac\" |"
            + " kfac-pytorch",
        "\"damping\":1e-3      | \"convention\":\"kfac-pytorch\",\"approximation\":\"diagonal\" |"
            + " kfac-pytorch",
        "\"damping\":1e-3}     | \"damping\":1} 2    | expected one JSON object",
        "\"damping\":1e-3}     | \"damping\":1       | not valid JSON in line 3",
        "\"damping\":1e-3      | \"damping\":1,\"damping\":2 | Duplicate field 'damping'",
        "\"type\":\"dense\"    | \"type\":\"linear\" | layers[0]: unknown type 'linear'; known are"
            + " [conv1d, conv2d, conv_transpose2d, dense, ",
        "\"type\":\"dense\",   | ^^                  | layers[0]: 'type' is missing; known are"
            + " [conv1d, conv2d, conv_transpose2d, dense, ",
        "\"name\":\"fc\",      | ^^                  | layers[0]: 'name' is missing",
        "\"name\":\"conv\"     | \"name\":\"fc\"     | layer 'fc' is given twice",
        "\"in_features\":2     | \"in_features\":0   | layer 'fc': features must be positive but"
            + " are 0 in, 2 out",
        "\"in_features\":2     | \"in_features\":2.5 | layers[0].in_features: ",
        "\"in_features\":2     | \"in_features\":\"2\" | layers[0].in_features: ",
        "\"in_features\":2     | \"in_features\":90000 | layer 'fc': its factor A of 90001 x"
            + " 90001 needs ",
        "\"in_features\":2     | \"in_features\":2147483647 | layer 'fc': vectors of"
            + " 2147483647 elements and the bias are too long",
        "\"in_features\":2,    | ^^                  | layer 'fc': 'in_features' is missing",
        "\"in_features\":2     | \"in_features\":3   | layer 'fc': input has shape [3, 2], expected"
            + " [N, 3]",
        "\"out_features\":2    | \"out_features\":3  | layer 'fc': output gradient has shape [3,"
            + " 2], expected [N, 3]",
        "\"kernel\":[2,2]      | \"kernel\":[2]      | layer 'conv': kernel must be [height, width]"
            + " but is [2]",
        "\"kernel\":[2,2]      | \"kernel\":[2,null] | layer 'conv': kernel must be [height, width]"
            + " but is [2, null]",
        "\"kernel\":[2,2]      | \"kernel\":2        | layers[1].kernel: ",
        "\"kernel\":[2,2]      | \"kernel\":[0,2]    | layer 'conv': kernel must be positive but is"
            + " 0 x 2",
        "\"kernel\":[2,2]      | \"kernel\":[2,3]    | layer 'conv': ",
        "\"kernel\":[2,2]      | \"kernel\":[9,9]    | layer 'conv': input has shape [3, 2, 3, 3],"
            + " too small for the kernel",
        "\"kernel\":[2,2],     | ^^                  | layer 'conv': 'kernel' is missing",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"stride\":[0,1]    | layer 'conv': stride must"
            + " be positive but is 0 x 1",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"stride\":[1,-1]   | layer 'conv': stride must"
            + " be positive but is 1 x -1",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"padding\":[0,-1]  | layer 'conv': padding must"
            + " not be negative but is 0 x -1",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"dilation\":[0,1]  | layer 'conv': dilation must"
            + " be positive but is 0 x 1",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"groups\":3        | layer 'conv': groups must"
            + " divide the channels",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"groups\":0        | layer 'conv': channels and"
            + " groups must be positive",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"groups\":2        | layer 'conv': tensor"
            + " 'conv.weight_grad' has shape [4, 2, 2, 2], expected [4, 1, 2, 2]",
        "\"kernel\":[2,2]      | \"kernel\":[2,2],\"layout\":\"nhwc\" | layers[1].layout: unknown"
            + " field",
        "\"in_channels\":2     | \"in_channels\":3   | layer 'conv': input has shape [3, 2, 3, 3],"
            + " expected [N, 3, H, W]",
        "\"bias\":false        | \"bias\":true       | layer 'conv': tensor 'conv.bias_grad' is"
            + " missing",
        "\"bias\":true         | \"bias\":false      | layer 'fc' has no bias, but there is a"
            + " tensor 'fc.bias_grad'",
        "\"name\":\"fc\"       | \"name\":\"head\"   | tensor 'fc.input' belongs to no layer of",
      })
  void aMistakeInTheConfigurationIsNamed(String good, String bad, String words) {
    String changed = GOOD.replace(good.strip(), bad == null ? "" : bad.strip());
    assertThat(changed).isNotEqualTo(GOOD);
    refused(bench.run(changed), 2, words);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "null", "{}", "{\"layers\":[]}", "{\"layers\":[null]}", "7"})
  void aConfigurationThatIsNoneIsRefused(String text) {
    refused(bench.run(text), 2, "c.json: ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"input", "output_grad", "weight_grad", "bias_grad"})
  void aTensorThatIsMissingOrDoesNotFitIsNamed(String suffix) {
    String name = "fc." + suffix;
    StoredTensor good = bench.tensors.get(name);

    bench.tensors.remove(name);
    refused(bench.run(GOOD), 2, "layer 'fc': tensor '" + name + "' is missing");

    bench.put(name, DType.F32, new double[5], 5);
    refused(bench.run(GOOD), 2, "layer 'fc': ", "has shape [5], expected [");

    bench.tensors.put(name, StoredTensor.of(new long[4], 2, 2));
    refused(
        bench.run(GOOD),
        2,
        "layer 'fc': tensor '" + name + "' has dtype I64, expected one of [F16, BF16, F32, F64]");

    for (double bad : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      double[] values = Bench.values(good);
      values[1] = bad;
      bench.put(name, DType.F32, values, good.shape());
      refused(bench.run(GOOD), 2, "layer 'fc': ", "holds a NaN or infinity at flat index 1");
    }
  }

  @Test
  void emptyAndUnequalBatchesAreNamed() {
    bench.put("fc.input", DType.F32, new double[0], 0, 2);
    refused(bench.run(GOOD), 2, "layer 'fc': input has shape [0, 2]: a batch needs at least one");
    bench.put("fc.input", DType.F32, new double[0], 0, 1L << 40, 2);
    refused(bench.run(GOOD), 2, "layer 'fc': input has shape [0, ");
    bench.put("fc.input", DType.F32, new double[4], 2, 2);
    refused(bench.run(GOOD), 2, "layer 'fc': ", "2 examples", "[3, 2]");
    bench.put("fc.input", DType.F32, new double[6], 3, 2);
    bench.put("conv.output_grad", DType.F32, new double[36], 3, 4, 3, 1);
    refused(bench.run(GOOD), 2, "layer 'conv': ", "3 examples of 2 x 2 outputs", "[3, 4, 3, 1]");
  }

  @Test
  void resultsBeyondTheRangeOfTheirTypeAreNotWritten() {
    bench.put("fc.weight_grad", DType.F32, new double[] {1, 3e38, 1, 1}, 2, 2);
    bench.put("fc.output_grad", DType.F32, new double[6], 3, 2);
    refused(
        bench.run(GOOD),
        1,
        "layer 'fc': the preconditioned gradient is beyond the range of its tensors",
        "raise the damping");
  }

  @Test
  void aFactorThatCannotBeInvertedIsAFailureNotAMistake() {
    bench.put("fc.input", DType.F64, new double[6], 3, 2); // A has rank 1, for the bias
    refused(
        bench.run(GOOD.replace("1e-3", "1e-300")),
        1,
        "layer 'fc': the damped factors cannot be inverted ([A not finite])",
        "raise the damping");
  }

  @Test
  void inputsBeyondTheRangeAreNamed() {
    bench.put("fc.input", DType.F64, new double[] {1e200, 1, 1, 1, 1, 1}, 3, 2);
    String said = "layer 'fc': input is up to 1.0E200, beyond the 1.0E18 that K-FAC takes";
    refused(bench.run(GOOD), 2, said);
    refused(bench.run(GOOD.replace("1e-3", "1e-3,\"damping_mode\":\"exact\"")), 2, said);
  }

  @Test
  void damagedAndMissingFilesAreNamed() throws IOException {
    bench.run("{}");
    byte[] whole = Files.readAllBytes(bench.in);
    write(GOOD);
    for (UnaryOperator<byte[]> damage :
        List.<UnaryOperator<byte[]>>of(
            bytes -> Arrays.copyOf(bytes, bytes.length - 1),
            bytes -> Arrays.copyOf(bytes, 5),
            bytes -> new byte[0],
            bytes -> {
              bytes[bytes.length - 1] ^= 1;
              return bytes;
            })) {
      Files.write(bench.in, damage.apply(whole.clone()));
      refused(Cli.run(bench.arguments()), 2, "in.safetensors: ");
    }
    Files.delete(bench.in);
    refused(Cli.run(bench.arguments()), 2, "in.safetensors: cannot be read: no such file");
    Files.delete(bench.config);
    refused(Cli.run(bench.arguments()), 2, "c.json: no such file");
    Files.createDirectory(bench.config);
    refused(Cli.run(bench.arguments()), 2, "c.json cannot be read: ");
  }

  @Test
  void theOutputIsCheckedBeforeTheWork() throws IOException {
    bench.run(GOOD.replace("fc", "unknown")); // leaves a good tensor file, but fails
    write(GOOD);
    Files.delete(bench.in); // would be the next thing to fail
    refused(withOut(directory.resolve("no/such/o")), 2, "--out ", "there is no directory");
    refused(withOut(directory), 2, "--out ", "is a directory");
    refused(withOut(bench.config.resolve("o")), 2, "--out ", "there is no directory");
  }

  @Test
  void onlyRegularFilesAreReadOrReplaced() throws Exception {
    write(GOOD);
    refused(withOut(Path.of("/dev/null")), 2, "--out /dev/null: is not a regular file");
    Files.deleteIfExists(bench.in);
    assumeTrue(Pipes.make(bench.in), "there is no mkfifo here");
    refused(Cli.run(bench.arguments()), 2, "in.safetensors: cannot be read: is not a regular");
    Files.delete(bench.config);
    assumeTrue(Pipes.make(bench.config), "there is no mkfifo here");
    refused(Cli.run(bench.arguments()), 2, "c.json cannot be read: ", "is not a regular file");
  }

  @Test
  void aLinkIsFollowedAndStays(@TempDir Path elsewhere) throws IOException {
    Path target = Files.move(bench.out, elsewhere.resolve("o"));
    Files.createSymbolicLink(bench.out, target);
    assertThat(bench.run(GOOD).exitCode()).isZero();
    assertThat(bench.out).isSymbolicLink();
    assertThat(bench.results()).hasSize(7);
  }

  @Test
  void anInputIsNotReplaced(@TempDir Path elsewhere) throws IOException {
    bench.run(GOOD.replace("fc", "unknown"));
    write(GOOD);
    byte[] tensors = Files.readAllBytes(bench.in);
    Path link = Files.createSymbolicLink(elsewhere.resolve("c"), bench.config);
    Path folder = Files.createSymbolicLink(elsewhere.resolve("folder"), directory);
    for (Path out : List.of(bench.config, link, folder.resolve("c.json"))) {
      refused(withOut(out), 2, "--out " + out + " is the input " + bench.config);
    }
    for (Path out : List.of(bench.in, folder.resolve("in.safetensors"))) {
      refused(withOut(out), 2, "--out " + out + " is the input " + bench.in);
    }
    assertThat(bench.config).hasContent(GOOD);
    assertThat(bench.in).hasBinaryContent(tensors);
  }

  @Test
  void anOutputThatCannotBeWrittenAfterAllIsNamed() {
    assumeTrue(Files.isDirectory(Path.of("/proc/self")), "no /proc here");
    bench.run(GOOD.replace("fc", "unknown"));
    write(GOOD);
    // where not even the superuser, to whom all directories look writable, can make a file
    refused(withOut(Path.of("/proc/self/o")), 2, "/proc/self");
  }

  private void write(String configuration) {
    try {
      Files.writeString(bench.config, configuration);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Cli.Outcome withOut(Path out) {
    String[] arguments = bench.arguments();
    arguments[6] = out.toString();
    return Cli.run(arguments);
  }

  @Test
  void badUsage() {
    refused(Cli.run("apply"), 2, "Missing required options: '--config=JSON'");
    refused(bench.run(GOOD, "--backend", "tpu"), 2, "unknown backend 'tpu'; known are [java, cpu,");
    refused(bench.run(GOOD, "--fast"), 2, "Unknown option: '--fast'");
  }

  @Test
  void anUnavailableBackendHasItsOwnExitCode() {
    assumeTrue(
        KnownBackends.all().stream().anyMatch(b -> b.name().equals("cuda") && !b.available()),
        "a CUDA backend is available here");
    refused(bench.run(GOOD, "--backend", "cuda"), 3, "backend 'cuda' is not available: ");
  }

  @Test
  void namesWithControlCharactersArePrintedWithoutThem() {
    String name = "\u001b[31mfc\n\u009b";
    for (String suffix : List.of("input", "output_grad", "weight_grad", "bias_grad")) {
      bench.tensors.put(name + "." + suffix, bench.tensors.remove("fc." + suffix));
    }
    bench.put("un\u001bused\n", DType.F32, new double[1], 1);
    Cli.Outcome outcome = bench.run(GOOD.replace("\"fc\"", "\"\\u001b[31mfc\\n\\u009b\""));
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(outcome.err()).hasLineCount(1).contains("tensor 'un?used?' is not used");
    assertThat(outcome.out()).hasLineCount(5).contains("\n?[31mfc??  dense ");
    assertThat((outcome.out() + outcome.err()).replace("\n", "")).doesNotContainPattern("\\p{Cc}");
    assertThat(bench.results()).containsKey(name + ".A");
  }

  @Test
  void unusedTensorsAreNamedOnStderrAndTheTableIsPrinted() {
    bench.put("fc.weight", DType.F32, new double[4], 2, 2);
    Cli.Outcome outcome = bench.run(GOOD);
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.err()).hasLineCount(1).contains("tensor 'fc.weight' is not used");
    assertThat(outcome.out())
        .hasLineCount(5)
        .startsWith("layer  type              groups      A      G")
        .contains(
            "\nfc     dense                  1      3      2 ", "  ok\n", "wrote " + bench.out);
  }
}
