package io.github.kfac4j.cpu;

import io.github.kfac4j.ScopedStepsContract;
import io.github.kfac4j.backend.Backend;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

class CpuScopedStepsTest extends ScopedStepsContract {
  @Override
  protected Backend open() {
    return new CpuBackend(2);
  }

  @Override
  protected Scope scope() {
    return new CountingScope();
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
