/** What a backend of kfac4j is tested with: shapes, inputs, definitions, checks. */
module io.github.kfac4j.testkit {
  requires io.github.kfac4j.core;

  exports io.github.kfac4j.testkit;
  exports io.github.kfac4j.testkit.checks;
}
