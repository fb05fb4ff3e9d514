package io.github.kfac4j.experiments.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.experiments.FolderLock;
import io.github.kfac4j.experiments.options.OptimizerName;
import io.github.kfac4j.experiments.options.RunOptions;
import io.github.kfac4j.experiments.options.Workload;
import io.github.kfac4j.files.AtomicFile;
import io.github.kfac4j.files.RegularFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The folder of one run and the files in it; one process at a time writes into it. */
public final class RunFolder implements AutoCloseable {
  private static final Path PARENT = Path.of("kfac-runs");
  private static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
          .enable(DeserializationFeature.READ_ENUMS_USING_TO_STRING);

  private static final int MAX_BYTES = 1 << 20; // of run.json

  private final Path path;
  private FolderLock lock;

  private RunFolder(Path path) {
    this.path = path;
  }

  /**
   * What {@code run.json} holds.
   *
   * @param options of the run
   * @param data the data set as it was found
   */
  public record Description(RunOptions options, String data) {}

  /**
   * Makes {@code out} the folder of a new run, and locks it.
   *
   * @throws BadInputException if it holds a run already, is in use or cannot be written
   */
  public static RunFolder create(Path out, Description description) {
    RunFolder folder = new RunFolder(out);
    try {
      Files.createDirectories(out);
      folder.lock();
      if (Files.exists(folder.runFile())) {
        throw new BadInputException(
            "--out %s already holds a run: continue it with --resume, or choose another folder"
                .formatted(out));
      }
      Files.createDirectories(folder.checkpoints());
      folder.update(description);
    } catch (IOException e) {
      folder.close();
      throw new BadInputException("--out %s cannot be written: %s".formatted(out, reason(e)), e);
    } catch (RuntimeException e) {
      folder.close();
      throw e;
    }
    return folder;
  }

  /** Makes a new folder with a telling name and the first free number. */
  public static RunFolder createNumbered(Description description) {
    Workload workload = description.options.workload();
    String name = "%s-%s".formatted(workload.data(), workload.model());
    try {
      Files.createDirectories(PARENT);
      for (int number = 1; ; number++) {
        Path candidate = PARENT.resolve("%s-%03d".formatted(name, number));
        if (!Files.exists(candidate)) {
          return create(candidate, description);
        }
      }
    } catch (IOException e) {
      throw new BadInputException(
          "%s cannot be written: %s; choose a folder with --out".formatted(PARENT, reason(e)), e);
    }
  }

  /** Why a folder cannot be used, in a few words. */
  public static String reason(IOException e) {
    if (e instanceof FileAlreadyExistsException) {
      return e.getMessage() + " is in the way";
    }
    String kind = e.getClass().getSimpleName().replace("Exception", "");
    return e.getMessage() == null ? kind : kind + " " + e.getMessage();
  }

  /**
   * The folder of an earlier run.
   *
   * @throws BadInputException if there is none
   */
  public static RunFolder existing(Path out) {
    RunFolder folder = new RunFolder(out);
    if (!Files.isRegularFile(folder.runFile())) {
      throw new BadInputException("nothing to resume: %s is missing".formatted(folder.runFile()));
    }
    return folder;
  }

  /**
   * Locks the folder until {@link #close}; once is enough.
   *
   * @throws BadInputException if another run uses it
   */
  public void lock() throws IOException {
    if (lock == null) {
      lock = FolderLock.take(path);
      if (Files.isDirectory(checkpoints())) {
        AtomicFile.removeRemains(checkpoints());
      }
    }
  }

  /** Reads {@code run.json}. */
  public Description description() {
    try {
      return MAPPER.readValue(RegularFile.read(runFile(), MAX_BYTES), Description.class);
    } catch (IOException e) {
      String line = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
      throw new BadInputException("%s is damaged: %s".formatted(runFile(), line), e);
    }
  }

  /** Replaces the description, for a run that is resumed with more steps. */
  public void update(Description description) throws IOException {
    write("run.json", MAPPER.writerWithDefaultPrettyPrinter().writeValueAsString(description));
  }

  public static String toJson(RunOptions options) {
    try {
      return MAPPER.writeValueAsString(options);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private Path runFile() {
    return path.resolve("run.json");
  }

  private Path checkpoints() {
    return path.resolve("checkpoints");
  }

  /** Where the checkpoint of an optimizer is, if there is one. */
  public Path checkpoint(OptimizerName optimizer) {
    return checkpoints().resolve(optimizer + ".safetensors");
  }

  /** The folder itself. */
  public Path path() {
    return path;
  }

  /** Writes a text file in the folder; a reader sees the old content or the new. */
  public void write(String name, String text) throws IOException {
    write(name, text.getBytes(UTF_8));
  }

  /** Writes a binary file in the folder; a reader sees the old content or the new. */
  public void write(String name, byte[] content) throws IOException {
    AtomicFile.write(path.resolve(name), content);
  }

  /** Unlocks the folder. */
  @Override
  public void close() {
    try {
      if (lock != null) {
        lock.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
