package io.github.kfac4j.testkit.junit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.reference.JavaBackend;
import io.github.kfac4j.testkit.checks.BackendChecks;
import io.github.kfac4j.testkit.checks.Check;
import io.github.kfac4j.testkit.checks.Extent;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.TestFactory;

/**
 * The checks that every backend must pass, those of the command {@code validate}, as tests: one
 * container for each group of {@link BackendChecks}. A backend's tests extend this class.
 */
public abstract class BackendContract {
  private static final long SEED = 1;

  /** Opens the backend under test. */
  protected abstract Backend open();

  /** Opens what it is compared with: the fp64 backend. */
  protected Backend openReference() {
    return new JavaBackend();
  }

  /** What is checked: everything. */
  protected Set<BackendChecks> groups() {
    return EnumSet.allOf(BackendChecks.class);
  }

  @TestFactory
  Stream<DynamicNode> everyVerb() {
    return groups().stream()
        .map(group -> dynamicContainer(group.name(), () -> run(group).iterator()));
  }

  private List<DynamicNode> run(BackendChecks group) {
    List<Check> checks = new ArrayList<>();
    try (Backend backend = open();
        Backend reference = openReference()) {
      group.run(backend, reference, SEED, Extent.MEDIUM, checks::add);
    }
    assertFalse(checks.isEmpty());
    return checks.stream()
        .<DynamicNode>map(
            check ->
                dynamicTest(
                    check.verb() + ": " + check.what(),
                    () -> assertTrue(check.ok(), check::toString)))
        .toList();
  }
}
