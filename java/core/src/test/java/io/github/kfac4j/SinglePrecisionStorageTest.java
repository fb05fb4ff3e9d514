package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.RoundedStorage;
import io.github.kfac4j.testkit.checks.BackendChecks;
import io.github.kfac4j.testkit.junit.BackendContract;
import java.util.EnumSet;
import java.util.Set;

/** What rounding to fp32 costs where it is done in storage alone: the contract can be met. */
class SinglePrecisionStorageTest extends BackendContract {
  @Override
  protected Set<BackendChecks> groups() {
    return EnumSet.of(BackendChecks.EIGENVALUES, BackendChecks.EIGEN_STEPS);
  }

  @Override
  protected Backend open() {
    return RoundedStorage.open();
  }
}
