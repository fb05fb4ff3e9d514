package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Sources and scripts are small files: one that has grown large has more than one job. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FileLengthTest {
  private static final Path ROOT = Path.of("../..");
  private static final int MAX_LINES = 400;
  private static final int MAX_LINES_OF_NINE_IN_TEN = 250;

  private static final Pattern SOURCE =
      Pattern.compile(".*\\.(java|cu|cuh|cpp|c|h|py|sh|cmake)|CMakeLists\\.txt|run");

  private final Map<Path, Integer> lines = new TreeMap<>();

  @BeforeAll
  void countLines() throws IOException {
    for (String folder : new String[] {"java", "native", "cmake", "benchmarks", ".ci"}) {
      Files.walkFileTree(
          ROOT.resolve(folder),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes of) {
              boolean built = directory.endsWith("target");
              return built ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes of) throws IOException {
              if (SOURCE.matcher(file.getFileName().toString()).matches()) {
                lines.put(ROOT.relativize(file), Files.readAllLines(file).size());
              }
              return FileVisitResult.CONTINUE;
            }
          });
    }
    assertThat(lines).hasSizeGreaterThan(1000).containsKey(Path.of(".ci/run"));
  }

  @Test
  void noFileIsLong() {
    assertThat(lines.entrySet().stream().filter(file -> file.getValue() > MAX_LINES).toList())
        .isEmpty();
  }

  @Test
  void nineInTenAreShort() {
    int[] sorted = lines.values().stream().mapToInt(n -> n).sorted().toArray();
    assertThat(sorted[sorted.length * 9 / 10]).isLessThan(MAX_LINES_OF_NINE_IN_TEN);
  }
}
