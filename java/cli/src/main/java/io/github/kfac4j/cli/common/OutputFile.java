package io.github.kfac4j.cli.common;

import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.files.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;

/** The file of {@code --out}, checked before the work is done, not after. */
public final class OutputFile {
  private OutputFile() {}

  /**
   * Checks that a file can be written, and that it is none of those that are read.
   *
   * @param inputs that may be missing
   * @throws BadInputException naming the file and what is wrong
   */
  public static void require(Path out, Collection<Path> inputs) {
    Path directory = out.toAbsolutePath().getParent();
    if (directory == null || Files.isDirectory(out)) {
      throw new BadInputException("--out " + out + " is a directory");
    }
    if (!Files.isDirectory(directory)) {
      throw new BadInputException("--out " + out + ": there is no directory " + directory);
    }
    try {
      Path target = AtomicFile.target(out);
      if (!Files.isWritable(target.getParent())) {
        throw new BadInputException(
            "--out " + out + ": " + target.getParent() + " cannot be written to");
      }
      for (Path input : inputs) {
        if (Files.exists(target) && Files.exists(input) && Files.isSameFile(target, input)) {
          throw new BadInputException(
              "--out %s is the input %s, which it would replace: choose another file"
                  .formatted(out, input));
        }
      }
    } catch (IOException e) {
      throw new BadInputException("--out " + e.getMessage(), e);
    }
  }
}
