package io.github.kfac4j.cli.study;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.study.batchsize.BatchSizeStudy;
import io.github.kfac4j.experiments.study.report.StudyReport;
import io.github.kfac4j.experiments.study.search.StoredStudy;
import io.github.kfac4j.experiments.study.search.Study;
import io.github.kfac4j.experiments.study.sensitivity.SensitivityStudy;
import io.github.kfac4j.experiments.study.spectrum.SpectrumStudy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The subcommand {@code study report}. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = {
      "Makes the figures and the page of a study anew from study.json and its tables (steps.csv or"
          + " sensitivity.csv, and curves.csv; of a spectrum its three), without data set or training."
    },
    sortOptions = false)
public final class ReportCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "DIR", description = "Folder of the study.")
  private Path folder;

  @Option(
      names = "--beside",
      paramLabel = "DIR",
      description =
          "Of a spectrum: a batch-size study whose critical batch sizes are drawn beside.")
  private Path beside;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    Map<String, String> facts = StoredStudy.facts(folder);
    StudyOutput output = new StudyOutput(spec.commandLine(), json.enabled());
    if (facts.getOrDefault("study", "").equals(SpectrumStudy.NAME)) {
      output.print(SpectrumStudy.stored(folder, beside), facts, folder, true);
      return ExitCode.OK;
    }
    Study.Plan plan =
        switch (facts.getOrDefault("study", "")) {
          case "batch-size" -> BatchSizeStudy.STORED;
          case "sensitivity" -> SensitivityStudy.stored(facts);
          default -> throw new BadInputException(folder + " does not hold a study of trials");
        };
    StoredStudy study = StoredStudy.read(folder, plan.csvName());
    StudyReport report = study.write(plan);
    output.print(report, study.facts(), folder, true);
    return ExitCode.OK;
  }
}
