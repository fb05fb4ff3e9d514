package io.github.kfac4j.cli.nqm;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.nqm.Spectrum;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The problem and the preconditioner. */
final class ModelOptions {
  private static final int MAX_BYTES = 1 << 24; // of a spectrum

  @Option(
      names = "--power",
      paramLabel = "P",
      defaultValue = "0",
      description = "Power of the preconditioner H^-P, in [0, 1] (default: ${DEFAULT-VALUE}).")
  double power;

  @Option(
      names = "--spectrum",
      paramLabel = "S",
      defaultValue = "binned",
      description = {
        "Eigenvalues: 'binned' (1/i, i = 1..10^4, in the 100 bins of the published protocol),",
        "'exact' (the same without bins), or a text file with one line",
        "'eigenvalue[,count[,noise variance]]' each (default: ${DEFAULT-VALUE})."
      })
  String spectrum;

  /** Makes or reads the spectrum. */
  Spectrum load() {
    switch (spectrum) {
      case "binned":
        return Spectrum.reference();
      case "exact":
        return Spectrum.harmonic(10_000);
      default:
        Path file = Path.of(spectrum);
        if (!Files.isRegularFile(file)) {
          throw new BadInputException(
              "--spectrum must be 'binned', 'exact' or a file, and there is no file " + spectrum);
        }
        try {
          if (Files.size(file) > MAX_BYTES) {
            throw new BadInputException(
                "the spectrum %s is larger than %,d bytes".formatted(file, MAX_BYTES));
          }
          return Spectrum.read(file);
        } catch (IOException e) {
          throw new BadInputException("cannot read the spectrum " + file + ": " + e, e);
        }
    }
  }
}
