package io.github.kfac4j.reference;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.RoundedStorage;
import io.github.kfac4j.testkit.attack.Choices;
import io.github.kfac4j.testkit.attack.RequestAttack;

/** Any bytes are requests to K-FAC in fp32, each of which is right or refused. */
class RequestFuzzTest {
  @FuzzTest
  void requestsAreRightOrRefused(byte[] bytes) {
    try (Backend backend = RoundedStorage.open();
        RequestAttack attack = new RequestAttack(backend)) {
      attack.run(new Choices(bytes));
    }
  }
}
