package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.OutputFile;
import io.github.kfac4j.cli.common.TextTable;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeClaims;
import io.github.kfac4j.experiments.study.report.Verdict;
import io.github.kfac4j.experiments.study.report.VerdictTable;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.sensitivity.SensitivityClaims;
import io.github.kfac4j.experiments.study.spectrum.SpectrumStudy;
import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The subcommand {@code study verdicts}. */
@Command(
    name = "verdicts",
    mixinStandardHelpOptions = true,
    description = {
      "Says of each claim of Ma et al. and of Zhang et al. (2019) whether it holds or fails in the"
          + " results of studies, or is undecided, with the interval that says so. Reads their tables"
          + " alone: of batch-size, sensitivity and spectrum."
    },
    sortOptions = false)
public final class VerdictsCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(arity = "1..*", paramLabel = "DIR", description = "Folders of studies.")
  private List<Path> folders;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Also written here, as a table in Markdown.")
  private Path out;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    if (out != null) {
      OutputFile.require(out, tables());
    }
    List<Verdict> verdicts = new ArrayList<>();
    for (Path folder : folders) {
      verdicts.addAll(of(folder));
    }
    if (out != null) {
      String text = VerdictTable.markdown(verdicts);
      AtomicFile.write(out, text.getBytes(StandardCharsets.UTF_8));
    }
    PrintWriter writer = spec.commandLine().getOut();
    if (json.enabled()) {
      JsonOption.print(Map.of("verdicts", verdicts), writer);
      return ExitCode.OK;
    }
    List<List<String>> rows = VerdictTable.rows(verdicts);
    TextTable table = new TextTable(rows.get(0).toArray(String[]::new));
    rows.subList(1, rows.size()).forEach(row -> table.row(row.toArray()));
    writer.print(table);
    writer.flush();
    return ExitCode.OK;
  }

  private List<Path> tables() throws IOException {
    List<Path> tables = new ArrayList<>();
    for (Path folder : folders) {
      if (Files.isDirectory(folder)) { // else it is refused by name when it is read
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.{json,csv}")) {
          files.forEach(tables::add);
        }
      }
    }
    return tables;
  }

  private static List<Verdict> of(Path folder) {
    String kind = StoredStudy.facts(folder).getOrDefault("study", "");
    return switch (kind) {
      case "batch-size" -> BatchSizeClaims.of(StoredStudy.read(folder, "steps.csv"));
      case "sensitivity" -> SensitivityClaims.of(StoredStudy.read(folder, "sensitivity.csv"));
      case SpectrumStudy.NAME -> SpectrumStudy.claims(folder);
      default -> throw new BadInputException("%s does not hold a study".formatted(folder));
    };
  }
}
