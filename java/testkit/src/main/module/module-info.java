/**
 * What a backend of kfac4j is tested with: inputs, definitions, checks, and these as JUnit tests.
 */
module io.github.kfac4j.testkit {
  requires io.github.kfac4j.core;
  requires static org.assertj.core;
  requires static org.junit.jupiter.api;
  requires static org.junit.jupiter.params;

  exports io.github.kfac4j.testkit;
  exports io.github.kfac4j.testkit.attack;
  exports io.github.kfac4j.testkit.checks;
  exports io.github.kfac4j.testkit.junit;
}
