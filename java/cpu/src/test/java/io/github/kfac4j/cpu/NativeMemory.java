package io.github.kfac4j.cpu;

import org.bytedeco.javacpp.Pointer;

/** Native memory as tests compare it. */
final class NativeMemory {
  private NativeMemory() {}

  /**
   * The bytes that JavaCPP counts, less what nobody reaches any more: what tests before this one
   * left to the garbage collector would otherwise be freed in the midst of it.
   */
  static long reachableBytes() {
    long bytes = Long.MAX_VALUE;
    for (int same = 0; same < 3; ) {
      System.gc();
      pause();
      long now = Pointer.totalBytes();
      same = now == bytes ? same + 1 : 0;
      bytes = now;
    }
    return bytes;
  }

  /** For JavaCPP's own thread, which frees. */
  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
