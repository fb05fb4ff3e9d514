package io.github.kfac4j.experiments.options;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.kfac4j.experiments.BadInputException;
import org.junit.jupiter.api.Test;

/** Which recipe is the usual one of a network, and what is refused. */
class RecipeTest {
  @Test
  void theUsualRecipeIsThatOfThePapers() {
    assertThat(Recipe.USUAL.complete(ModelName.SIMPLE_CNN, 1))
        .isEqualTo(new Recipe(0.0, false, false));
    assertThat(Recipe.USUAL.complete(ModelName.RESNET8, 3)).isEqualTo(new Recipe(0.0, false, true));
    assertThat(Recipe.USUAL.complete(ModelName.RESNET32, 3)).isEqualTo(new Recipe(0.1, true, true));
    assertThat(new Recipe(null, false, null).complete(ModelName.VGG11, 1))
        .isEqualTo(new Recipe(0.1, false, false));
  }

  @Test
  void refusesWhatHasNoMeaning() {
    assertThatThrownBy(() -> new Recipe(1.0, null, null))
        .isInstanceOf(BadInputException.class)
        .hasMessage("--label-smoothing must be in [0, 1), got 1.0");
    assertThatThrownBy(() -> new Recipe(null, null, true).require(ModelName.AUTOENCODER))
        .isInstanceOf(BadInputException.class)
        .hasMessageContaining("--augment: autoencoder reconstructs its images");
  }
}
