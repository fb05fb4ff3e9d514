package io.github.kfac4j.backend;

import static io.github.kfac4j.testkit.Fixtures.stack;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** Opens a backend for each test and closes what the test allocated. */
abstract class ContractFixture {
  protected Backend backend;
  final Random random = new Random(20260101);
  private final List<MatrixStack> opened = new ArrayList<>();

  /** Opens the backend under test. */
  protected abstract Backend open();

  @BeforeEach
  void openBackend() {
    backend = open();
  }

  @AfterEach
  void closeBackend() {
    opened.forEach(MatrixStack::close);
    backend.close();
  }

  MatrixStack zeros(int count, int rows, int cols) {
    MatrixStack stack = backend.allocate(count, rows, cols);
    opened.add(stack);
    return stack;
  }

  MatrixStack filled(int count, int rows, int cols, double[] values) {
    MatrixStack stack = stack(backend, count, rows, cols, values);
    opened.add(stack);
    return stack;
  }

  /** Relative error allowed where no matrix is inverted. */
  double tolerance() {
    return zeros(1, 1, 1).isDouble() ? 1e-12 : 3e-6;
  }
}
