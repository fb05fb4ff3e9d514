package io.github.kfac4j.cli.apply;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import io.github.kfac4j.backend.ImageLayout;
import io.github.kfac4j.backend.Window;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Layer;
import java.util.List;
import java.util.Objects;

/** One entry of {@code layers}; null where the file says nothing. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(value = LayerConfig.OfConv2d.class, name = LayerConfig.CONV2D),
  @JsonSubTypes.Type(value = LayerConfig.OfDense.class, name = LayerConfig.DENSE)
})
sealed interface LayerConfig {
  String CONV2D = "conv2d";
  String DENSE = "dense";

  /** The prefix of the layer's tensors. */
  String name();

  /** The type as written in the file. */
  String type();

  /**
   * The layer that is described.
   *
   * @throws IllegalArgumentException naming the field that is missing or out of range
   */
  Layer layer();

  /** A fully connected layer. */
  record OfDense(String name, Integer inFeatures, Integer outFeatures, Boolean bias)
      implements LayerConfig {
    @Override
    public String type() {
      return DENSE;
    }

    @Override
    public Layer layer() {
      return new Dense(
          require("in_features", inFeatures),
          require("out_features", outFeatures),
          orElse(bias, true));
    }
  }

  /** A convolution of NCHW images. */
  record OfConv2d(
      String name,
      Integer inChannels,
      Integer outChannels,
      List<Integer> kernel,
      List<Integer> stride,
      List<Integer> padding,
      List<Integer> dilation,
      Integer groups,
      Boolean bias)
      implements LayerConfig {
    @Override
    public String type() {
      return CONV2D;
    }

    @Override
    public Layer layer() {
      List<Integer> k = pair("kernel", require("kernel", kernel));
      List<Integer> s = pair("stride", orElse(stride, List.of(1, 1)));
      List<Integer> p = pair("padding", orElse(padding, List.of(0, 0)));
      List<Integer> d = pair("dilation", orElse(dilation, List.of(1, 1)));
      Window window =
          new Window(
              k.get(0), k.get(1), s.get(0), s.get(1), p.get(0), p.get(1), d.get(0), d.get(1));
      return new Conv2d(
          require("in_channels", inChannels),
          require("out_channels", outChannels),
          window,
          orElse(groups, 1),
          orElse(bias, true),
          ImageLayout.NCHW);
    }

    private static List<Integer> pair(String field, List<Integer> values) {
      if (values.size() != 2 || values.stream().anyMatch(Objects::isNull)) {
        throw new IllegalArgumentException(
            field + " must be [height, width] but is " + values.toString());
      }
      return values;
    }
  }

  private static <T> T require(String field, T value) {
    if (value == null) {
      throw new IllegalArgumentException("'" + field + "' is missing");
    }
    return value;
  }

  private static <T> T orElse(T value, T other) {
    return value == null ? other : value;
  }
}
