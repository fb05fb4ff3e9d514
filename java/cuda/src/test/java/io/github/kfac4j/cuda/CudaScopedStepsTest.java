package io.github.kfac4j.cuda;

import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.cuda.context.Check;
import io.github.kfac4j.testkit.junit.ScopedStepsContract;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;

@RequiresCuda
class CudaScopedStepsTest extends ScopedStepsContract {
  @Override
  protected Backend open() {
    return new CudaBackend(0);
  }

  @Override
  protected Scope scope() {
    return new CountingScope();
  }

  @Override
  protected long heldBytes() {
    return -Check.freeBytes();
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
