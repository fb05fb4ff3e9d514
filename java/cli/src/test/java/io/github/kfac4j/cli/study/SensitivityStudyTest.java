package io.github.kfac4j.cli.study;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class SensitivityStudyTest extends StudyRuns {
  private static final String SMALL =
      "sensitivity --optimizer kfac,heavy-ball --batch 16,40 --grid 2 --max-epochs 1.5 --target 0.3"
          + " --lr kfac=0.003:0.03,heavy-ball=0.01:0.1 --damping 0.01:0.1";

  @Test
  void mapsTheGrid() throws Exception {
    List<String> arguments = new ArrayList<>(arguments("s", SMALL));
    arguments.add("--json");
    JsonNode json = Cli.json(arguments.toArray(String[]::new));
    List<String> lines = trials("s", "sensitivity.csv");
    assertThat(lines).hasSize(1 + 2 * (4 + 2));
    assertThat(lines.get(1)).startsWith("kfac,16,0,0,0.003,0.9,0.01,");
    assertThat(lines.get(2)).startsWith("kfac,16,1,0,0.03,0.9,0.01,");
    assertThat(lines.get(3)).startsWith("kfac,16,2,0,0.003,0.9,0.1,");
    assertThat(lines.get(5)).startsWith("heavy-ball,16,0,0,0.01,0.9,,");
    for (JsonNode optimizer : json.get("optimizers")) {
      for (JsonNode region : optimizer.get("batches")) {
        String start = optimizer.get("name").asText() + "," + region.get("batch").asInt() + ",";
        List<String> own = lines.stream().filter(line -> line.startsWith(start)).toList();
        assertThat(region.get("points").asInt()).isEqualTo(own.size());
        long reached =
            own.stream()
                .filter(line -> line.split(",", -1)[column(lines, "reached")].equals("true"))
                .count();
        assertThat(region.get("fraction").asDouble()).isEqualTo((double) reached / own.size());
        long budget = Math.round(1.5 * 160 / region.get("batch").asInt());
        assertThat(own)
            .allSatisfy(
                line ->
                    assertThat(Long.parseLong(line.split(",", -1)[column(lines, "steps")]))
                        .isLessThanOrEqualTo(budget));
      }
    }
    assertThat(ImageIO.read(file("s", "sensitivity.png").toFile())).isNotNull();
    assertThat(Files.readString(file("s", "report.html"))).contains("of the grid reach");

    byte[] before = Files.readAllBytes(file("s", "sensitivity.csv"));
    Cli.Outcome again = study("s", SMALL);
    assertThat(again.out()).contains("fewest steps", "report: ");
    assertThat(Files.readAllBytes(file("s", "sensitivity.csv"))).isEqualTo(before);
  }

  /** Equal steps and equal epochs, from the same trials. */
  @Test
  void mapsWhatTrialsDoAfterLengthsOfTraining() throws Exception {
    List<String> arguments =
        new ArrayList<>(
            arguments(
                "s",
                "sensitivity --optimizer heavy-ball --batch 16,40 --grid 3 --lr 0.01:0.3 --target 0.5"
                    + " --evaluate-every 40 --run-to-end --budget steps:12,epochs:1"));
    arguments.add("--json");
    JsonNode json = Cli.json(arguments.toArray(String[]::new));
    for (int batch : new int[] {16, 40}) {
      JsonNode region = json.get("optimizers").get(0).get("batches").get(batch == 16 ? 0 : 1);
      assertThat(region.get("fraction_after_steps:12").asDouble()).isEqualTo(part(batch, 12));
      assertThat(region.get("fraction_after_epochs:1").asDouble())
          .isEqualTo(part(batch, 160 / batch));
    }
    assertThat(part(16, 12)).isNotEqualTo(part(40, 4)); // there is something to tell apart
    for (String name : List.of("after-steps-12.png", "after-epochs-1.png")) {
      assertThat(ImageIO.read(file("s", name).toFile())).isNotNull();
    }
  }

  /** The part of the grid with accuracy 0.5 in the last evaluation after so many steps at most. */
  private double part(int batch, long steps) throws IOException {
    Map<String, String> last = new HashMap<>();
    for (Map<String, String> row : new Csv(trials("s", "curves.csv")).rows("heavy-ball", batch)) {
      if (Long.parseLong(row.get("step")) <= steps) {
        last.put(row.get("trial"), row.get("validation_accuracy"));
      }
    }
    return last.values().stream().filter(a -> Double.parseDouble(a) >= 0.5).count() / 3.0;
  }

  private static int column(List<String> lines, String name) {
    return List.of(lines.get(0).split(",")).indexOf(name);
  }

  @Test
  void helpNamesWhatItLeaves() {
    assertThat(Cli.run("study", "--help").out()).contains("batch-size", "sensitivity", "scaling");
    assertThat(Cli.run("study", "batch-size", "--help").out()).contains("steps.csv", "--trials");
    assertThat(Cli.run("study", "sensitivity", "--help").out()).contains("heat maps", "--grid");
  }
}
