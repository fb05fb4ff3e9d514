package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.data.LayerStatistics.Moment;
import io.github.kfac4j.distributed.exchange.Block;
import io.github.kfac4j.distributed.exchange.Conversions;

/** One moment of one layer on its way to the layer's owner; symmetric ones are packed. */
record MomentBlock(String layer, Moment moment, Block block) {
  /** A moment times a weight. */
  static MomentBlock of(String layer, int owner, Moment moment, double weight) {
    int dim = moment.symmetricDim();
    float[] values =
        dim > 0
            ? SymmetricPacking.pack(moment.elements(), dim, weight)
            : Conversions.toFloats(moment.elements(), weight);
    return new MomentBlock(layer, moment, new Block(owner, values));
  }

  /** What has arrived: the sum over ranks. */
  Moment sum() {
    int dim = moment.symmetricDim();
    return moment.with(
        dim > 0
            ? SymmetricPacking.unpack(block.values(), dim)
            : Conversions.toDoubles(block.values()));
  }
}
