package io.github.kfac4j.benchmarks.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.kfac4j.benchmarks.cases.Case;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/**
 * A peer in a process of its own, a script of {@code benchmarks/peers} or {@link Server}: it makes
 * the same inputs, times itself, and answers in JSON lines. While another contender runs it waits
 * for its standard input.
 */
final class ServedContender implements Contender {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Longer than any answer takes; loading a framework may take most of a minute. */
  private static final long PATIENCE_SECONDS = 120;

  private final Process process;
  private final Path errors;
  private final BufferedWriter requests;
  private final BufferedReader answers;
  private final String name;
  private final String version;
  private final long settleMillis;

  /** Starts a process and waits until its libraries are loaded. */
  ServedContender(List<String> command, Map<String, String> environment) {
    try {
      errors = Files.createTempFile("kfac-peer", ".txt");
      errors.toFile().deleteOnExit();
      ProcessBuilder builder = new ProcessBuilder(command).redirectError(errors.toFile());
      builder.environment().putAll(environment);
      process = builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    requests = process.outputWriter();
    answers = process.inputReader();
    JsonNode hello = ask(request("hello"));
    name = hello.get("name").asText();
    version = hello.get("version").asText();
    settleMillis = hello.path("settleMillis").asLong(Contender.super.settleMillis());
  }

  private static ObjectNode request(String op) {
    return JSON.createObjectNode().put("op", op);
  }

  private JsonNode ask(ObjectNode request) {
    AtomicBoolean late = new AtomicBoolean();
    Runnable end =
        () -> {
          late.set(true);
          process.destroyForcibly(); // which ends the wait for its answer
        };
    CompletableFuture<Void> watch =
        CompletableFuture.runAsync(
            end, CompletableFuture.delayedExecutor(PATIENCE_SECONDS, TimeUnit.SECONDS));
    try {
      requests.write(JSON.writeValueAsString(request) + "\n");
      requests.flush();
      String line = answers.readLine();
      if (line == null) {
        throw new IllegalStateException(lastWords(late.get()));
      }
      JsonNode answer = JSON.readTree(line);
      if (answer.has("error")) {
        throw new IllegalStateException(answer.get("error").asText());
      }
      return answer;
    } catch (IOException e) {
      throw new IllegalStateException(lastWords(late.get()), e);
    } finally {
      watch.cancel(false);
    }
  }

  private String lastWords(boolean late) {
    if (late) {
      return "its process gave no answer in %d seconds".formatted(PATIENCE_SECONDS);
    }
    try (Stream<String> lines = Files.lines(errors)) {
      String last = lines.filter(line -> !line.isBlank()).reduce("", (a, b) -> b);
      return last.isEmpty() ? "its process ended without a word" : "its process ended: " + last;
    } catch (IOException | UncheckedIOException e) {
      return "its process ended";
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public String version() {
    return version;
  }

  @Override
  public long settleMillis() {
    return settleMillis;
  }

  @Override
  public Work prepare(Case c, long seed) {
    JsonNode answer = ask(request("prepare").put("seed", seed).set("case", JSON.valueToTree(c)));
    return answer.get("able").asBoolean()
        ? new ServedWork(answer.get("share").asDouble(), answer.get("checkable").asBoolean())
        : null;
  }

  @Override
  public void close() {
    try {
      requests.close(); // ends the process
      process.waitFor();
    } catch (IOException e) {
      process.destroy();
    } catch (InterruptedException e) {
      process.destroy();
      Thread.currentThread().interrupt();
    }
  }

  private final class ServedWork implements Work {
    private final double share;
    private final boolean checkable;
    private Map<String, Double> parts = Map.of();

    ServedWork(double share, boolean checkable) {
      this.share = share;
      this.checkable = checkable;
    }

    @Override
    public void run() {
      seconds(1);
    }

    @Override
    public double seconds(int calls) {
      JsonNode answer = ask(request("run").put("calls", calls));
      Map<String, Double> read = new HashMap<>();
      answer.get("parts").properties().forEach(e -> read.put(e.getKey(), e.getValue().asDouble()));
      parts = read;
      return answer.get("seconds").asDouble();
    }

    @Override
    public float[] result(int index) {
      try {
        Path file = Files.createTempFile("kfac-benchmarks", ".f32");
        try {
          ask(request("result").put("index", index).put("file", file.toString()));
          ByteBuffer bytes =
              ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
          float[] result = new float[bytes.remaining() / 4];
          bytes.asFloatBuffer().get(result);
          return result;
        } finally {
          Files.delete(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public double share() {
      return share;
    }

    @Override
    public boolean checkable() {
      return checkable;
    }

    @Override
    public Map<String, Double> parts() {
      return parts;
    }

    @Override
    public void close() {
      ask(request("release"));
    }
  }
}
