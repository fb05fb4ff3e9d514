package io.github.kfac4j.djl;

import ai.djl.nn.Block;

/** A block that does what another does and lets a {@link Tap} listen to it. */
interface Tapped extends Block {
  /** The block itself. */
  Block original();

  /** Hands what passes through to the tap from now on, or to nobody if it is null. */
  void listen(Tap tap);
}
