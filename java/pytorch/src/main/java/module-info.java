/** K-FAC in training programs on the JavaCPP presets of PyTorch. */
module io.github.kfac4j.pytorch {
  requires transitive io.github.kfac4j.core;
  requires transitive org.bytedeco.pytorch;
  requires static io.github.kfac4j.cuda;
  requires static org.bytedeco.cuda;

  exports io.github.kfac4j.pytorch;
}
