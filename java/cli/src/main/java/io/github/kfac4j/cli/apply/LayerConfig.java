package io.github.kfac4j.cli.apply;

import static io.github.kfac4j.cli.apply.Fields.choice;
import static io.github.kfac4j.cli.apply.Fields.orElse;
import static io.github.kfac4j.cli.apply.Fields.pair;
import static io.github.kfac4j.cli.apply.Fields.require;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonTypeName;
import io.github.kfac4j.layer.Conv1d;
import io.github.kfac4j.layer.Conv2d;
import io.github.kfac4j.layer.ConvTranspose2d;
import io.github.kfac4j.layer.Dense;
import io.github.kfac4j.layer.Embedding;
import io.github.kfac4j.layer.FlattenedDense;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.layer.ScaleShift;
import io.github.kfac4j.layer.WeightSharing;
import io.github.kfac4j.samples.ImageLayout;
import io.github.kfac4j.samples.Window;
import java.util.Arrays;
import java.util.List;

/** One entry of {@code layers}; null where the file says nothing. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
  @JsonSubTypes.Type(LayerConfig.OfConv1d.class),
  @JsonSubTypes.Type(LayerConfig.OfConv2d.class),
  @JsonSubTypes.Type(LayerConfig.OfConvTranspose2d.class),
  @JsonSubTypes.Type(LayerConfig.OfDense.class),
  @JsonSubTypes.Type(LayerConfig.OfEmbedding.class),
  @JsonSubTypes.Type(LayerConfig.OfFlattenedDense.class),
  @JsonSubTypes.Type(LayerConfig.OfScaleShift.class)
})
sealed interface LayerConfig {
  /** The prefix of the layer's tensors. */
  String name();

  /** An approximation for this layer alone. */
  String approximation();

  /**
   * The layer that is described.
   *
   * @throws IllegalArgumentException naming the field that is missing or out of range
   */
  Layer layer();

  /** The type as written in the file. */
  default String type() {
    return type(getClass());
  }

  /** All types that a file may hold. */
  static List<String> types() {
    return Arrays.stream(LayerConfig.class.getPermittedSubclasses())
        .map(LayerConfig::type)
        .sorted()
        .toList();
  }

  private static String type(Class<?> config) {
    return config.getAnnotation(JsonTypeName.class).value();
  }

  /** A fully connected layer. */
  @JsonTypeName("dense")
  record OfDense(
      String name,
      String approximation,
      Integer inFeatures,
      Integer outFeatures,
      Boolean bias,
      String weightSharing)
      implements LayerConfig {
    @Override
    public Layer layer() {
      return new Dense(
          require("in_features", inFeatures),
          require("out_features", outFeatures),
          orElse(bias, true),
          orElse(
              choice("weight_sharing", weightSharing, WeightSharing.class), WeightSharing.EXPAND));
    }
  }

  /** A fully connected layer behind a feature map. */
  @JsonTypeName("flattened_dense")
  record OfFlattenedDense(
      String name,
      String approximation,
      Integer channels,
      Integer positions,
      Integer outFeatures,
      Boolean bias,
      Boolean channelsLast)
      implements LayerConfig {
    @Override
    public Layer layer() {
      return new FlattenedDense(
          require("channels", channels),
          require("positions", positions),
          require("out_features", outFeatures),
          orElse(bias, true),
          orElse(channelsLast, false));
    }
  }

  /** A convolution of sequences. */
  @JsonTypeName("conv1d")
  record OfConv1d(
      String name,
      String approximation,
      Integer inChannels,
      Integer outChannels,
      Integer kernel,
      Integer stride,
      Integer padding,
      Integer dilation,
      Integer groups,
      Boolean bias)
      implements LayerConfig {
    @Override
    public Layer layer() {
      Window window =
          Conv1d.window(
              require("kernel", kernel),
              orElse(stride, 1),
              orElse(padding, 0),
              orElse(dilation, 1));
      return new Conv1d(
          require("in_channels", inChannels),
          require("out_channels", outChannels),
          window,
          orElse(groups, 1),
          orElse(bias, true));
    }
  }

  /** A convolution of NCHW images. */
  @JsonTypeName("conv2d")
  record OfConv2d(
      String name,
      String approximation,
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
    public Layer layer() {
      return new Conv2d(
          require("in_channels", inChannels),
          require("out_channels", outChannels),
          window(kernel, stride, padding, dilation),
          orElse(groups, 1),
          orElse(bias, true),
          ImageLayout.NCHW);
    }
  }

  /** A transposed convolution of NCHW images. */
  @JsonTypeName("conv_transpose2d")
  record OfConvTranspose2d(
      String name,
      String approximation,
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
    public Layer layer() {
      return new ConvTranspose2d(
          require("in_channels", inChannels),
          require("out_channels", outChannels),
          window(kernel, stride, padding, dilation),
          orElse(groups, 1),
          orElse(bias, true));
    }
  }

  /** A table of vectors. */
  @JsonTypeName("embedding")
  record OfEmbedding(
      String name, String approximation, Integer vocabulary, Integer width, Boolean timesUses)
      implements LayerConfig {
    @Override
    public Layer layer() {
      return new Embedding(
          require("vocabulary", vocabulary), require("width", width), orElse(timesUses, true));
    }
  }

  /** The trainable part of a normalisation. */
  @JsonTypeName("scale_shift")
  record OfScaleShift(
      String name,
      String approximation,
      Integer channels,
      String structure,
      Boolean bias,
      Boolean channelsLast,
      Double dampingScale)
      implements LayerConfig {
    @Override
    public Layer layer() {
      ScaleShift.Structure chosen = choice("structure", structure, ScaleShift.Structure.class);
      return new ScaleShift(
          require("channels", channels),
          orElse(chosen, ScaleShift.Structure.UNIT_WISE),
          orElse(bias, true),
          orElse(channelsLast, false),
          orElse(dampingScale, 1.0));
    }
  }

  private static Window window(
      List<Integer> kernel, List<Integer> stride, List<Integer> padding, List<Integer> dilation) {
    List<Integer> k = pair("kernel", require("kernel", kernel));
    List<Integer> s = pair("stride", orElse(stride, List.of(1, 1)));
    List<Integer> p = pair("padding", orElse(padding, List.of(0, 0)));
    List<Integer> d = pair("dilation", orElse(dilation, List.of(1, 1)));
    return new Window(
        k.get(0), k.get(1), s.get(0), s.get(1), p.get(0), p.get(1), d.get(0), d.get(1));
  }
}
