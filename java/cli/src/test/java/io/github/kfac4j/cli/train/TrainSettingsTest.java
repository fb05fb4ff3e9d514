package io.github.kfac4j.cli.train;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings of the optimizers, beyond the defaults. */
class TrainSettingsTest extends TrainRuns {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kfac,ekfac,diagonal | --kfac fisher=mc,kl-clip=0.01,intervals=2:4",
        "kfac,ekfac,diagonal | --kfac fisher=exact,examples=20,decay=0.8",
        "kfac,diagonal | --kfac fisher=curvature-prop,stale=0.1,burn-in=3",
        "kfac,ekfac,diagonal | --kfac micro-batches=4,momentum-first=true,warm-up=1:20",
        "kfac,ekfac,diagonal | --kfac quadratic=true,lm=2,lm-bounds=1e-3:10,gamma=4,rescale=true",
        "kfac,ekfac,diagonal | --kfac quadratic=rate",
        "kfac | --kfac damping-mode=exact,convention=tensorflow-kfac",
        "kfac | --kfac inverse=newton-schulz,convention=kfac-jax",
        "kfac | --kfac inverse=eigen,memory=update --momentum-schedule linear:0.1",
        "kfac,ekfac,diagonal,sgd | --damping-schedule polynomial:1 --momentum-schedule 0.5=0.5",
      })
  void everySettingTrains(String optimizers, String settings) {
    Cli.Outcome outcome =
        train(
            "--model mlp --batch 40 --steps 30 --json --optimizer " + optimizers + " " + settings);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    for (JsonNode optimizer : tree(outcome.out()).get("optimizers")) {
      assertThat(optimizer.get("train_loss").asDouble())
          .as(settings + ": " + optimizer)
          .isLessThan(1.5);
    }
  }

  /** Its factors are made of gradients of the mean loss, so they want another damping. */
  @Test
  void theConventionOfKfacPytorchTrains() {
    Cli.Outcome outcome =
        train(
            "--model mlp --batch 40 --steps 30 --json --optimizer kfac --damping 0.003"
                + " --kfac convention=kfac-pytorch");
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    JsonNode kfac = tree(outcome.out()).get("optimizers").get(0);
    assertThat(kfac.get("train_loss").asDouble()).isLessThan(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"doubly-factored", "diagonal"})
  void theLayerBehindTheConvolutionsMayHaveItsOwnApproximation(String approximation)
      throws IOException {
    Cli.Outcome outcome =
        train("--batch 40 --steps 12 --json --optimizer kfac --kfac flattened=" + approximation);
    assertThat(outcome.exitCode()).as(outcome.err()).isZero();
    assertThat(tree(outcome.out()).get("optimizers").get(0).get("train_loss").asDouble())
        .isLessThan(2);
    Map<String, StoredTensor> state =
        TensorFile.read(run("checkpoints/kfac.safetensors")).tensors();
    String layer = "kfac.08Linear.";
    if (approximation.equals("diagonal")) {
      assertThat(state).containsKey(layer + "moments").doesNotContainKey(layer + "A");
    } else {
      // 2 x 2 pixels are left of 8 x 8
      assertThat(state.get(layer + "positions").shape()).containsExactly(1, 4 * 5 / 2);
      assertThat(state.get(layer + "channels").shape()).containsExactly(1, 64 * 65 / 2);
    }
    assertThat(state).containsKey("kfac.10Linear.A");
  }

  /** A schedule that is constant in fact gives the bits of none. */
  @Test
  void schedulesAreFollowed() throws IOException {
    String common = "--model mlp --batch 40 --steps 6 --optimizer kfac,sgd ";
    assertThat(train("plain", common).exitCode()).isZero();
    assertThat(
            train("same", common + "--damping-schedule linear:1 --momentum-schedule 0.5=1")
                .exitCode())
        .isZero();
    assertThat(
            train("other", common + "--damping-schedule 0.5=3 --momentum-schedule 0.5=0.1")
                .exitCode())
        .isZero();
    for (String optimizer : new String[] {"kfac", "sgd"}) {
      assertThat(weights("same", optimizer)).containsExactly(weights("plain", optimizer));
      assertThat(weights("other", optimizer)).isNotEqualTo(weights("plain", optimizer));
    }
  }

  private float[] weights(String folder, String optimizer) throws IOException {
    StoredTensor weight =
        TensorFile.read(
                directory.resolve(folder).resolve("checkpoints/" + optimizer + ".safetensors"))
            .tensors()
            .get("weights.02Linear_weight");
    float[] values = new float[weight.asFloatBuffer().remaining()];
    weight.asFloatBuffer().get(values);
    return values;
  }
}
