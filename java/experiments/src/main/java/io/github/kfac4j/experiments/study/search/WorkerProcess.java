package io.github.kfac4j.experiments.study.search;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import io.github.kfac4j.experiments.study.trial.TrialOutcome;
import io.github.kfac4j.experiments.study.trial.TrialTask;
import io.github.kfac4j.experiments.train.History;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Trains in a process of its own, which takes one trial a line and gives one outcome a line. A
 * process that ends in the middle of a trial costs that trial alone: another one repeats it.
 */
final class WorkerProcess implements Trainer {
  static final ObjectMapper MAPPER =
      new ObjectMapper()
          .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
          .enable(DeserializationFeature.READ_ENUMS_USING_TO_STRING);

  /** How an outcome begins, should a library print on the same stream. */
  static final String OUTCOME = "outcome ";

  private static final int ATTEMPTS = 3;
  private static final long POLL_MILLIS = 10;

  private final List<String> command;
  private Process process;
  private BufferedReader outcomes;
  private Writer tasks;

  /** Started by a command that reads trials, with {@link StudyWorker} behind it. */
  WorkerProcess(List<String> command) {
    this.command = command;
  }

  @Override
  public Optional<TrialOutcome> train(
      TrialTask task, BooleanSupplier stop, Consumer<History> onStep) throws IOException {
    String line = MAPPER.writeValueAsString(task);
    for (int attempt = 0; attempt < ATTEMPTS && !stop.getAsBoolean(); attempt++) {
      start();
      Optional<String> answer = ask(line, stop);
      if (answer.isPresent()) {
        return Optional.of(MAPPER.readValue(answer.get(), TrialOutcome.class));
      }
      close();
    }
    if (stop.getAsBoolean()) {
      return Optional.empty();
    }
    throw new IOException(
        "worker processes ended %d times in the trial %s; what they said is above"
            .formatted(ATTEMPTS, task.values()));
  }

  private void start() throws IOException {
    if (process != null) {
      return;
    }
    process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    outcomes = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    tasks = process.outputWriter(UTF_8);
  }

  /** The answer; empty if the process ended or is not waited for any more. */
  private Optional<String> ask(String task, BooleanSupplier stop) {
    try {
      tasks.write(task + "\n");
      tasks.flush();
      while (!stop.getAsBoolean()) {
        boolean alive = process.isAlive();
        if (outcomes.ready()) {
          String line = outcomes.readLine();
          if (line.startsWith(OUTCOME)) {
            return Optional.of(line.substring(OUTCOME.length()));
          }
        } else if (!alive) {
          return Optional.empty();
        } else {
          Thread.sleep(POLL_MILLIS);
        }
      }
    } catch (IOException e) { // the pipe to a process that has ended
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    if (process != null) {
      process.destroyForcibly();
      process = null;
    }
  }
}
