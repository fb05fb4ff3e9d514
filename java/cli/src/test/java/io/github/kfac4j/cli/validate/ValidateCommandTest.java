package io.github.kfac4j.cli.validate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cli.Cli;
import io.github.kfac4j.cli.KfacCommand;
import io.github.kfac4j.cli.common.KnownBackends;
import io.github.kfac4j.cli.common.KnownBackends.Availability;
import io.github.kfac4j.testkit.checks.Check;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ValidateCommandTest {
  private static final Availability CPU = new Availability("cpu", true, null);
  private static final Availability NO_CPU = new Availability("cpu", false, "no OpenBLAS");
  private static final Availability NO_CUDA = new Availability("cuda", false, "no driver");

  /** A backend of which every verb throws. */
  private static final Backend FAILING =
      (Backend)
          Proxy.newProxyInstance(
              Backend.class.getClassLoader(),
              new Class<?>[] {Backend.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("close")) {
                  return null;
                }
                throw new UnsupportedOperationException("nothing works");
              });

  /** Every backend of this build that works here, through the whole suite. */
  @Test
  void theBackendsOfThisBuildPass() {
    JsonNode json = Cli.json("validate", "--json", "--seed", "3");
    assertThat(json.get("seed").intValue()).isEqualTo(3);
    assertThat(json.get("misses").intValue()).isZero();
    List<JsonNode> backends = list(json.get("backends"));
    assertThat(backends.stream().map(b -> b.get("name").textValue())).contains("cpu", "cuda");
    for (JsonNode backend : backends) {
      boolean available = backend.get("available").booleanValue();
      assertThat(backend.has("reason")).isEqualTo(!available);
      List<JsonNode> checks = list(backend.get("checks"));
      assertThat(checks.isEmpty()).isEqualTo(!available);
      if (available) {
        assertThat(checks.stream().map(check -> check.get("verb").textValue()).distinct())
            .containsExactlyInAnyOrder(
                "allocate",
                "traces",
                "firstNonFinite",
                "largest",
                "scale",
                "patches",
                "accumulate",
                "accumulateInBasis",
                "invert",
                "decompose",
                "renew",
                "precondition",
                "preconditionInBasis");
      }
      for (JsonNode check : checks) {
        assertThat(check.get("ok").booleanValue()).as(check.toString()).isTrue();
        assertThat(check.get("error").doubleValue())
            .isLessThanOrEqualTo(check.get("tolerance").doubleValue());
        assertThat(check.get("case").textValue()).isNotEmpty();
      }
    }
  }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }

  /** Runs the command as part of {@code kfac}, on other backends than those of this build. */
  private static Cli.Outcome run(List<Availability> known, Backend backend, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine kfac = KfacCommand.commandLine();
    kfac.addSubcommand("again", new ValidateCommand(known, name -> backend));
    // handlers are copied to subcommands when they are set
    kfac.setExecutionExceptionHandler(kfac.getExecutionExceptionHandler());
    kfac.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] all = new String[args.length + 1];
    all[0] = "again";
    System.arraycopy(args, 0, all, 1, args.length);
    return new Cli.Outcome(kfac.execute(all), out.toString(), err.toString());
  }

  @Test
  void aMissIsExitCode1() {
    Cli.Outcome outcome = run(List.of(CPU, NO_CUDA), FAILING, "--json");
    assertThat(outcome.exitCode()).isEqualTo(1);
    JsonNode document = Cli.parse(outcome.out());
    List<JsonNode> checks = list(document.get("backends").get(0).get("checks"));
    // the one verb that a backend may lack
    checks = checks.stream().filter(c -> !c.get("verb").textValue().equals("renew")).toList();
    assertThat(document.get("misses").intValue()).isEqualTo(checks.size()).isGreaterThan(100);
    for (JsonNode check : checks) {
      assertThat(check.get("ok").booleanValue()).isFalse();
      assertThat(check.get("error").isNull()).isTrue();
      assertThat(check.get("failure").textValue())
          .isEqualTo("java.lang.UnsupportedOperationException: nothing works");
    }
    assertThat(document.get("backends").get(1).get("reason").textValue()).isEqualTo("no driver");
  }

  @Test
  void theTableShowsErrorToleranceAndVerdict() {
    StringWriter text = new StringWriter();
    Table table = new Table(new PrintWriter(text), 5);
    List<Check> checks =
        List.of(
            Check.of("invert", "good", 1e-7, 2e-7),
            Check.of("scale", "bad", 3e-7, 2e-7),
            Check.of("scale", "worse", Double.NaN, 2e-7),
            Check.failed("patches", "worst", "it broke"));
    checks.forEach(check -> table.row("cpu", check));
    table.summary(
        ValidateReport.of(
            5,
            List.of(
                ValidateReport.OfBackend.of("cpu", true, null, "two cores", checks),
                ValidateReport.OfBackend.of("cuda", false, "no driver", null, List.of()))));
    assertThat(text.toString().lines().map(line -> line.replaceAll(" +", " ").strip()))
        .containsExactly(
            "seed 5; errors are relative, against the fp64 backend java",
            "",
            "backend verb case error tolerance verdict",
            "cpu invert good 1.00e-07 2.00e-07 ok",
            "cpu scale bad 3.00e-07 2.00e-07 MISS",
            "cpu scale worse - - MISS: error NaN, tolerance 2.0E-7",
            "cpu patches worst - - MISS: it broke",
            "",
            "cpu: 1 of 4 checks passed (two cores)",
            "cuda: not available: no driver");
  }

  @Test
  void unavailableIsExitCode3() {
    Cli.Outcome all = run(List.of(NO_CPU, NO_CUDA), FAILING);
    assertThat(all.exitCode()).isEqualTo(3);
    assertThat(all.out()).isEmpty();
    assertThat(all.err())
        .isEqualTo(
            "kfac validate: backend 'all' is not available: cpu: no OpenBLAS; cuda: no driver\n");
    Cli.Outcome one = run(List.of(CPU, NO_CUDA), null, "--backend", "cuda");
    assertThat(one.exitCode()).isEqualTo(3);
    assertThat(one.err()).contains("backend 'cuda' is not available: no driver");

    assumeTrue(
        KnownBackends.all().stream().noneMatch(b -> b.name().equals("cuda") && b.available()));
    assertThat(Cli.run("validate", "--backend", "cuda").exitCode()).isEqualTo(3);
  }

  @Test
  void unknownIsExitCode2() {
    for (String name : List.of("tpu", "java", "auto")) {
      Cli.Outcome outcome = Cli.run("validate", "--backend", name);
      assertThat(outcome.exitCode()).isEqualTo(2);
      assertThat(outcome.out()).isEmpty();
      assertThat(outcome.err())
          .startsWith("kfac validate: unknown backend '" + name + "'; known are [cpu, cuda")
          .hasLineCount(1);
    }
    assertThat(Cli.run("validate", "--seed", "x").exitCode()).isEqualTo(2);
  }
}
