package io.github.kfac4j.cpu;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.testkit.junit.ScopedStepsContract;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.junit.jupiter.api.BeforeEach;

class CpuScopedStepsTest extends ScopedStepsContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }

  @Override
  protected Scope scope() {
    return new CountingScope();
  }

  @BeforeEach
  void freeWhatNobodyReaches() {
    NativeMemory.reachableBytes();
  }

  @Override
  protected long heldBytes() {
    return Pointer.totalBytes();
  }

  private static final class CountingScope extends PointerScope implements Scope {
    private int attached;

    @Override
    public PointerScope attach(Pointer pointer) {
      attached++;
      return super.attach(pointer);
    }

    @Override
    public int attached() {
      return attached;
    }
  }
}
