package io.github.kfac4j;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.RoundedStorage;

/** What rounding to fp32 costs where it is done in storage alone: the contract can be met. */
class SinglePrecisionStorageTest extends EigenAccuracyContract {
  @Override
  protected Backend open() {
    return RoundedStorage.open();
  }
}
