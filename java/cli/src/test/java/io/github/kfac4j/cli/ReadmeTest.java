package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** What the READMEs show can be typed in as it stands. */
class ReadmeTest {
  private static final Path ROOT = Path.of("..", "..").toAbsolutePath().normalize();
  private static final Map<Path, String> READMES = readmes();
  private static final Pattern FENCE = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");
  private static final Pattern COMMAND =
      Pattern.compile("(?m)(?:^|&& |java -jar java/cli/target/)kfac(?:\\.jar)? ([^#\\n]*)");
  private static final Pattern LINK = Pattern.compile("\\]\\((?!https?:)([^)#]+)\\)");
  private static final Pattern TEST = Pattern.compile("`([A-Z]\\w*(?:Test|Contract|Properties))`");

  /** What the snippets take for granted; a local variable of the same name hides a field. */
  private static final String CONTEXT =
      """
      import ai.djl.Model;
      import ai.djl.ndarray.NDList;
      import ai.djl.training.*;
      import ai.djl.training.dataset.*;
      import ai.djl.training.loss.Loss;
      import io.github.kfac4j.*;
      import io.github.kfac4j.data.*;
      import io.github.kfac4j.options.*;
      import io.github.kfac4j.trainer.*;
      import io.github.kfac4j.backend.*;
      import io.github.kfac4j.samples.*;
      import io.github.kfac4j.cuda.*;
      import io.github.kfac4j.djl.*;
      import io.github.kfac4j.fisher.*;
      import io.github.kfac4j.layer.*;
      import io.github.kfac4j.nqm.*;
      import io.github.kfac4j.tensor.*;
      import java.nio.file.Path;
      import java.util.*;
      import org.bytedeco.cuda.cudart.CUstream_st;
      import org.bytedeco.javacpp.FloatPointer;

      class Snippet {
        Model model;
        Trainer trainer;
        Dataset data;
        Batch batch;
        DjlKfac kfac;
        KfacOptions options;
        DefaultTrainingConfig config;
        Loss loss;
        UpdateRule rule;
        Backend backend;
        double learningRate, damping;
        List<Observation> observations;
        List<LayerGradient> gradients;
        CUstream_st stream;
        FloatPointer pointer;

        void run() throws Exception {
      %s
        }
      }
      """;

  /** The same for requests to the CUDA backend. */
  private static final String CUDA_CONTEXT =
      CONTEXT
          .replace(" Backend backend;", " CudaBackend backend; List<InvertRequest> refresh;")
          .replace("List<LayerGradient> gradients", "List<PreconditionRequest> gradients");

  /** The same for a program on JavaCPP PyTorch, whose names are those of other packages too. */
  private static final String PYTORCH_CONTEXT =
      """
      import static org.bytedeco.pytorch.global.torch.cross_entropy_loss;

      import io.github.kfac4j.options.KfacOptions;
      import io.github.kfac4j.pytorch.*;
      import org.bytedeco.javacpp.*;
      import org.bytedeco.pytorch.*;
      import org.bytedeco.pytorch.Module;

      class Snippet {
        int steps;

        Tensor images() {
          return null;
        }

        Tensor labels() {
          return null;
        }

        void run() throws Exception {
      %s
        }
      }
      """;

  /** The same for a program of Deeplearning4j. */
  private static final String DL4J_CONTEXT =
      """
      import io.github.kfac4j.*;
      import io.github.kfac4j.backend.Backend;
      import io.github.kfac4j.dl4j.*;
      import io.github.kfac4j.options.KfacOptions;
      import java.io.File;
      import java.nio.file.Path;
      import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
      import org.nd4j.linalg.dataset.api.iterator.DataSetIterator;

      class Snippet {
        MultiLayerNetwork net;
        DataSetIterator data;
        KfacOptions options;
        Dl4jKfac kfac;
        Backend backend;
        int epochs;

        void run() throws Exception {
      %s
        }
      }
      """;

  /** The front page and that of every folder with one, of whatever depth but build output. */
  private static Map<Path, String> readmes() {
    Map<Path, String> texts = new TreeMap<>();
    try (Stream<Path> java = Files.list(ROOT.resolve("java"))) {
      List<Path> folders =
          Stream.concat(
                  Stream.of("", "java", "native", "benchmarks").map(ROOT::resolve),
                  java.filter(Files::isDirectory))
              .toList();
      for (Path folder : folders) {
        Path file = folder.resolve("README.md");
        if (Files.exists(file)) {
          texts.put(file, Files.readString(file));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return texts;
  }

  private static Stream<MatchResult> matches(Pattern pattern) {
    return READMES.values().stream().flatMap(text -> pattern.matcher(text).results());
  }

  private static Stream<String> fences(String language) {
    return matches(FENCE)
        .filter(fence -> fence.group(1).equals(language))
        .map(fence -> fence.group(2));
  }

  @TestFactory
  List<DynamicTest> commandsAreUnderstood() {
    List<DynamicTest> tests =
        fences("")
            .flatMap(text -> COMMAND.matcher(text).results())
            .map(command -> command.group(1).strip())
            .distinct()
            .map(line -> DynamicTest.dynamicTest("kfac " + line, () -> requireUnderstood(line)))
            .toList();
    assertThat(tests).hasSizeGreaterThan(10);
    return tests;
  }

  private static void requireUnderstood(String line) {
    assertThatCode(() -> KfacCommand.commandLine().parseArgs(line.split("\\s+")))
        .doesNotThrowAnyException();
  }

  @TestFactory
  List<DynamicTest> snippetsCompile(@TempDir Path classes) {
    List<DynamicTest> tests =
        READMES.entrySet().stream()
            .flatMap(
                readme ->
                    snippets(readme.getValue())
                        .map(
                            code ->
                                DynamicTest.dynamicTest(
                                    firstLine(code),
                                    () -> compile(inContext(readme.getKey(), code), classes))))
            .toList();
    assertThat(tests).hasSizeGreaterThan(3);
    return tests;
  }

  private static Stream<String> snippets(String text) {
    return FENCE
        .matcher(text)
        .results()
        .filter(fence -> fence.group(1).equals("java"))
        .map(fence -> fence.group(2));
  }

  private static String inContext(Path readme, String code) {
    Map<String, String> special =
        Map.of("cuda", CUDA_CONTEXT, "pytorch", PYTORCH_CONTEXT, "dl4j", DL4J_CONTEXT);
    Path folder = ROOT.relativize(readme).getParent();
    boolean module = folder != null && folder.startsWith("java") && folder.getNameCount() == 2;
    String name = module ? folder.getFileName().toString() : "";
    return special.getOrDefault(name, CONTEXT).formatted(code);
  }

  private static String firstLine(String code) {
    return code.lines().findFirst().orElseThrow();
  }

  private static void compile(String program, Path classes) {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> messages = new DiagnosticCollector<>();
    String path = System.getProperty("surefire.test.class.path");
    javac
        .getTask(
            null,
            null,
            messages,
            List.of(
                "-proc:none",
                "-d",
                classes.toString(),
                "-classpath",
                path == null ? System.getProperty("java.class.path") : path),
            null,
            List.of(new Source(program)))
        .call();
    assertThat(
            messages.getDiagnostics().stream()
                .filter(message -> message.getKind() == Diagnostic.Kind.ERROR)
                .map(message -> message.getMessage(Locale.ROOT)))
        .isEmpty();
  }

  private static final class Source extends SimpleJavaFileObject {
    private final String code;

    Source(String code) {
      super(URI.create("string:///Snippet.java"), Kind.SOURCE);
      this.code = code;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return code;
    }
  }

  @TestFactory
  List<DynamicTest> linksLeadSomewhere() {
    List<DynamicTest> tests = new ArrayList<>();
    READMES.forEach(
        (readme, text) ->
            LINK.matcher(text)
                .results()
                .map(link -> link.group(1))
                .distinct()
                .forEach(
                    link ->
                        tests.add(
                            DynamicTest.dynamicTest(
                                ROOT.relativize(readme) + " " + link,
                                () -> assertThat(readme.resolveSibling(link)).exists()))));
    assertThat(tests).hasSizeGreaterThan(20);
    return tests;
  }

  @Test
  void namedTestsExist() throws IOException {
    List<String> named = matches(TEST).map(MatchResult::group).toList();
    try (Stream<Path> files = Files.walk(ROOT.resolve("java"))) {
      assertThat(
              files
                  .map(file -> "`" + file.getFileName().toString().replace(".java", "") + "`")
                  .collect(Collectors.toSet()))
          .containsAll(named);
    }
    assertThat(named).hasSizeGreaterThan(20);
  }

  @Test
  void theFrontPageIsShort() {
    assertThat(READMES.get(ROOT.resolve("README.md")).lines()).hasSizeLessThan(150);
  }
}
