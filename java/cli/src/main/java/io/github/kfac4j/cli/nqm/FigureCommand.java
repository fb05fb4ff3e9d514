package io.github.kfac4j.cli.nqm;

import io.github.kfac4j.cli.common.ExitCode;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.figures.Figures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The subcommand {@code nqm figure}. */
@Command(
    name = "figure",
    mixinStandardHelpOptions = true,
    description = {
      "Recomputes figures of the paper: 1, 2, 3a, 3b, 3c, 4, 11, 13, 14, 15 or all.",
      "Writes figure-N.csv and figure-N.png for each, and index.html that shows them."
    })
final class FigureCommand extends NqmSubcommand {
  @Parameters(arity = "1..*", paramLabel = "N", description = "Figures, or 'all'.")
  private List<String> figures;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "DIR",
      description = "Folder for the files; made if it does not exist.")
  private Path out;

  /** The JSON document. */
  private record Document(String page, List<Figures.Written> figures) {}

  @Override
  int execute() {
    List<String> ids = ids();
    List<Figures.Written> written;
    try {
      Files.createDirectories(out);
    } catch (IOException e) {
      throw new BadInputException("--out: cannot make the folder " + out + ": " + e, e);
    }
    try (ProgressBar bar = bar(Figures.work(ids))) {
      written = Figures.write(ids, out, new Bar(bar));
    } catch (IOException e) {
      throw new BadInputException("cannot write to " + out + ": " + e, e);
    }
    String page = out.resolve("index.html").toString();
    StringBuilder text = new StringBuilder();
    for (Figures.Written figure : written) {
      text.append("figure %s: %s, %s%n".formatted(figure.figure(), figure.png(), figure.csv()));
    }
    print(new Document(page, written), text + "all on one page: " + page + System.lineSeparator());
    return ExitCode.OK;
  }

  private List<String> ids() {
    Set<String> ids = new LinkedHashSet<>();
    for (String name : figures) {
      if (name.equals("all")) {
        ids.addAll(Figures.ids());
      } else if (Figures.ids().contains(name)) {
        ids.add(name);
      } else {
        throw new BadInputException(
            "there is no figure %s: choose from %s or all"
                .formatted(name, String.join(", ", Figures.ids())));
      }
    }
    return List.copyOf(ids);
  }

  private static ProgressBar bar(int work) {
    return new ProgressBarBuilder()
        .setTaskName("figures")
        .setInitialMax(work)
        .setStyle(ProgressBarStyle.ASCII)
        .build(); // on stderr
  }

  /** Shows the progress. */
  private record Bar(ProgressBar bar) implements Figures.Progress {
    @Override
    public void step() {
      bar.step();
    }

    @Override
    public void figure(String id) {
      bar.setExtraMessage("figure " + id);
    }
  }
}
