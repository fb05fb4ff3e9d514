package io.github.kfac4j.cli.apply;

import io.github.kfac4j.apply.TensorStep;
import io.github.kfac4j.backend.Backend;
import io.github.kfac4j.backend.MemoryException;
import io.github.kfac4j.cli.common.BackendOption;
import io.github.kfac4j.cli.common.JsonOption;
import io.github.kfac4j.cli.common.Memory;
import io.github.kfac4j.cli.common.OutputFile;
import io.github.kfac4j.cli.common.Printable;
import io.github.kfac4j.experiments.BadInputException;
import io.github.kfac4j.layer.Layer;
import io.github.kfac4j.options.KfacOptions;
import io.github.kfac4j.safetensors.StoredTensor;
import io.github.kfac4j.safetensors.TensorFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code apply}. */
@Command(
    name = "apply",
    mixinStandardHelpOptions = true,
    description = {
      "Preconditions gradients from any framework by K-FAC. Tensors come and go as safetensors.",
      "",
      "In, for each layer, F16, BF16, F32 or F64: NAME.input; NAME.output_grad, per-example"
          + " gradients of the summed loss with respect to the layer's output; NAME.weight_grad;"
          + " NAME.bias_grad if the layer has a bias. A layer that is used several times in one"
          + " pass has NAME.input_2 and NAME.output_grad_2, and so on.",
      "Out, F64 if NAME.input has it (with token numbers: NAME.weight_grad), otherwise F32: NAME.A"
          + " and NAME.G, undamped, [n, n] or, for several groups, [groups, n, n], the bias"
          + " coordinate last; NAME.weight_grad and NAME.bias_grad, preconditioned.",
      "",
      "Layers and their shapes (input; output_grad; weight):",
      "  dense             [N, ..., in]; [N, ..., out]; [out, in]",
      "  flattened_dense   [N, channels, ...] or flattened; [N, out]; [out, channels * positions]",
      "  conv1d            [N, in, L]; [N, out, L']; [out, in/groups, k]",
      "  conv2d            [N, in, H, W]; [N, out, H', W']; [out, in/groups, kh, kw]",
      "  conv_transpose2d  [N, in, H, W]; [N, out, H', W']; [in, out/groups, kh, kw]",
      "  embedding         token numbers [N, ...], integers too; [N, ..., width];",
      "                    [vocabulary, width]. Tied to",
      "                    the softmax, with a second use [N, ..., width]; [N, ..., vocabulary].",
      "                    A is the diagonal [vocabulary].",
      "  scale_shift       the normalised input [N, channels, ...]; the same; [channels].",
      "                    There is no A; G is [channels, 2, 2] or, full, [2 channels, 2"
          + " channels].",
      "",
      "Configuration, with defaults except for layers, name, type, sizes and kernel:",
      "  {\"layers\": [",
      "    {\"name\": \"conv1\", \"type\": \"conv2d\", \"in_channels\": 3,",
      "     \"out_channels\": 8, \"kernel\": [3, 3], \"stride\": [1, 1],",
      "     \"padding\": [0, 0], \"dilation\": [1, 1], \"groups\": 1, \"bias\": true},",
      "    {\"name\": \"fc\", \"type\": \"dense\", \"in_features\": 128,",
      "     \"out_features\": 10, \"bias\": true, \"weight_sharing\": \"expand\"},",
      "    {\"name\": \"fc1\", \"type\": \"flattened_dense\", \"channels\": 64,",
      "     \"positions\": 49, \"out_features\": 128, \"bias\": true,",
      "     \"channels_last\": false},",
      "    {\"name\": \"words\", \"type\": \"embedding\", \"vocabulary\": 500,",
      "     \"width\": 16, \"times_uses\": true},",
      "    {\"name\": \"norm\", \"type\": \"scale_shift\", \"channels\": 8,",
      "     \"structure\": \"unit_wise\", \"bias\": true, \"channels_last\": false,",
      "     \"damping_scale\": 1.0}],",
      "   \"damping\": 1e-3, \"damping_mode\": \"factored\", \"convention\": \"kfc\",",
      "   \"fisher\": \"empirical\",",
      "   \"approximation\": \"kronecker\", \"kl_clip\": null, \"learning_rate\": 1.0,",
      "   \"decay\": 0.0, \"inverse_method\": \"cholesky\"}",
      "conv_transpose2d has the fields of conv2d; conv1d too, with single numbers. A layer may have"
          + " an \"approximation\" of its own.",
      "",
      "damping_mode: factored or exact. It concerns the approximation kronecker; the others are"
          + " always damped exactly. Under the convention kfac-pytorch, factored is its INVERSE"
          + " and exact its EIGEN method.",
      "convention: kfc, tensorflow-kfac, kfac-jax or kfac-pytorch (kronecker only).",
      "fisher: what NAME.output_grad are gradients of. empirical: of the training loss; mc: for"
          + " targets drawn from the prediction; curvature-prop: of random signs through a root of"
          + " the outputs' Fisher; exact: each of P outputs in turn, as further examples with their"
          + " inputs repeated, times sqrt(P). kfac-jax divides factors of the empirical Fisher by N"
          + " once more; all else does not depend on it.",
      "approximation: kronecker, ekfac (moments of this batch in its own eigenbasis), diagonal"
          + " (no factors, hence no NAME.A and NAME.G) or doubly_factored (flattened_dense only:"
          + " NAME.positions and NAME.channels instead of NAME.A).",
      "weight_sharing: of a dense layer at several positions, expand or reduce.",
      "inverse_method: cholesky, eigen or newton_schulz, for factored damping.",
      "kl_clip: bound on the squared step length at learning_rate in the Fisher metric, or null.",
      "decay: 0 takes this batch alone; otherwise it is the first batch of a running average. The"
          + " moments of ekfac start from those of kronecker, so this batch counts 1 - decay"
          + " there.",
      ""
    })
public final class ApplyCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      required = true,
      paramLabel = "JSON",
      description = "Layers and settings, as above.")
  private Path configFile;

  @Option(
      names = "--in",
      required = true,
      paramLabel = "SAFETENSORS",
      description = "What the layers saw in one batch, and their gradients.")
  private Path in;

  @Option(
      names = "--out",
      required = true,
      paramLabel = "SAFETENSORS",
      description = "Where factors and preconditioned gradients go.")
  private Path out;

  @Mixin private BackendOption backendOption;
  @Mixin private JsonOption json;

  @Override
  public Integer call() throws IOException {
    ApplyConfig config = ConfigFile.read(configFile);
    TensorStep step = step(config);
    OutputFile.require(out, List.of(configFile, in));
    List<String> layers = config.layers().stream().map(LayerConfig::name).toList();
    TensorFile tensors = TensorFile.read(in, name -> isUsed(name, layers));
    try (Backend backend = backendOption.open()) {
      TensorStep.Result result = run(step, backend, tensors.tensors());
      new TensorFile(result.tensors(), Map.of()).write(out);
      print(ApplyReport.of(backend.name(), config, result.step(), result.layers()));
    } catch (MemoryException e) {
      throw new BadInputException(e.getMessage(), e);
    } catch (OutOfMemoryError e) {
      throw new BadInputException(Memory.advice(e), e);
    }
    return 0;
  }

  private static TensorStep.Result run(
      TensorStep step, Backend backend, Map<String, StoredTensor> tensors) {
    try {
      return step.run(backend, tensors);
    } catch (IllegalArgumentException e) { // the library's checks name layer, tensor and value
      throw new BadInputException(e.getMessage(), e);
    }
  }

  private TensorStep step(ApplyConfig config) {
    try {
      Map<String, Layer> layers = config.layersByName();
      KfacOptions options = config.options();
      return new TensorStep(layers, options);
    } catch (IllegalArgumentException e) {
      throw new BadInputException(configFile + ": " + e.getMessage(), e);
    }
  }

  /**
   * Refuses tensors of layers that the configuration does not have; reports which other tensors are
   * ignored.
   */
  private boolean isUsed(String tensor, List<String> layers) {
    Optional<String> layer = TensorStep.layerOf(tensor);
    if (layer.isEmpty()) {
      String line = Printable.line("%s: tensor '%s' is not used".formatted(in, tensor));
      spec.commandLine().getErr().println(line);
      return false;
    }
    if (!layers.contains(layer.get())) {
      throw new BadInputException(
          "%s: tensor '%s' belongs to no layer of %s; its layers are %s"
              .formatted(in, tensor, configFile, layers));
    }
    return true;
  }

  private void print(ApplyReport report) {
    PrintWriter stdout = spec.commandLine().getOut();
    if (json.enabled()) {
      JsonOption.print(report, stdout);
      return;
    }
    ApplyTable.print(report, stdout);
    stdout.printf("wrote %s%n", out);
    stdout.flush();
  }
}
