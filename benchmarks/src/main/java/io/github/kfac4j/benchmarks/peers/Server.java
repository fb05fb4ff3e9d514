package io.github.kfac4j.benchmarks.peers;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.kfac4j.benchmarks.cases.Cases;
import io.github.kfac4j.benchmarks.run.Contender;
import io.github.kfac4j.benchmarks.run.Work;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Serves a Java contender over standard input and output, for {@link ServedContender} in another
 * process: a library that would share native code and its settings with ours needs one of its own,
 * and so does a backend of ours that needs other options of the JVM.
 */
final class Server {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Contender contender;
  private Work work;

  private Server(Contender contender) {
    this.contender = contender;
  }

  /** Serves {@code nd4j} or a backend of ours on a number of threads. Ends with its input. */
  public static void main(String[] args) throws IOException {
    PrintStream answers = System.out;
    System.setOut(System.err); // what libraries print is no answer
    try (Contender contender = open(args[0], Integer.parseInt(args[1]));
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in))) {
      Server server = new Server(contender);
      for (String line = requests.readLine(); line != null; line = requests.readLine()) {
        answers.println(JSON.writeValueAsString(server.answer(line)));
        answers.flush();
      }
    }
    System.exit(0); // whatever threads libraries have left
  }

  private static Contender open(String name, int threads) {
    return name.equals("nd4j") ? new Nd4jContender(threads) : OwnContenders.open(name, threads);
  }

  private ObjectNode answer(String line) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      JsonNode request = JSON.readTree(line);
      switch (request.get("op").asText()) {
        case "hello" ->
            answer
                .put("name", contender.name())
                .put("version", contender.version())
                .put("settleMillis", contender.settleMillis());
        case "prepare" -> prepare(request, answer);
        case "run" -> {
          answer.put("seconds", work.seconds(request.get("calls").asInt()));
          answer.set("parts", JSON.valueToTree(work.parts()));
        }
        case "result" -> write(work.result(request.get("index").asInt()), request);
        default -> {
          work.close();
          work = null;
        }
      }
    } catch (IOException | RuntimeException e) {
      answer.put("error", String.valueOf(e.getMessage()));
    }
    return answer;
  }

  private void prepare(JsonNode request, ObjectNode answer) {
    JsonNode c = request.get("case");
    String backend = c.hasNonNull("backend") ? " (" + c.get("backend").asText() + ")" : "";
    String id = c.get("verb").asText() + " " + c.get("name").asText() + backend;
    work = contender.prepare(Cases.byId(id), request.get("seed").asLong());
    answer.put("able", work != null);
    if (work != null) {
      answer.put("share", work.share()).put("checkable", work.checkable());
    }
  }

  private static void write(float[] result, JsonNode request) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * result.length).order(ByteOrder.nativeOrder());
    bytes.asFloatBuffer().put(result);
    Files.write(Path.of(request.get("file").asText()), bytes.array());
  }
}
