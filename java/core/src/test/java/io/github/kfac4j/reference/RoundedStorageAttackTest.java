package io.github.kfac4j.reference;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.RoundedStorage;
import io.github.kfac4j.testkit.junit.AttackContract;

class RoundedStorageAttackTest extends AttackContract {
  @Override
  protected Backend open() {
    return RoundedStorage.open();
  }
}
