package io.github.kfac4j.cli.info;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.backend.BackendProvider;
import io.github.kfac4j.backend.Backends;
import io.github.kfac4j.cli.Cli;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

class InfoCommandTest {

  @Test
  void jsonListsEveryBackendWithAvailabilityAndReason() {
    JsonNode info = Cli.json("info", "--json");
    assertThat(info.get("version").isTextual()).isTrue();
    assertThat(info.get("cores").intValue()).isPositive();
    assertThat(info.get("jvm").textValue()).contains(Runtime.version().toString());
    assertThat(info.get("os").textValue()).contains(System.getProperty("os.name"));

    List<JsonNode> backends =
        StreamSupport.stream(info.get("backends").spliterator(), false).toList();
    assertThat(backends.stream().map(b -> b.get("name").textValue()))
        .startsWith("java", "cpu", "cuda")
        .doesNotHaveDuplicates();
    for (JsonNode backend : backends) {
      String reason = reason(backend.get("name").textValue());
      assertThat(backend.get("available").booleanValue()).isEqualTo(reason == null);
      assertThat(backend.path("reason").textValue()).isEqualTo(reason);
      assertThat(backend.has("reason")).isEqualTo(reason != null);
    }
    assertThat(backends.get(0).get("available").booleanValue()).isTrue();
  }

  private static String reason(String name) {
    for (BackendProvider provider : Backends.providers()) {
      if (provider.name().equals(name)) {
        return provider.unavailableReason();
      }
    }
    return "this build has no " + name.toUpperCase(Locale.ROOT) + " backend";
  }

  @Test
  void textShowsTheSame() {
    Cli.Outcome outcome = Cli.run("info");
    assertThat(outcome.exitCode()).isZero();
    assertThat(outcome.err()).isEmpty();
    assertThat(outcome.out())
        .startsWith("version  ")
        .contains("backend  java  available\n", "backend  cuda  ", "cores    ");
  }
}
