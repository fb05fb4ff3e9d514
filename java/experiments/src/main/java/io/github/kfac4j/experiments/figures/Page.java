package io.github.kfac4j.experiments.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;

/** The HTML page with all figures; the images are inside it, the data beside it. */
final class Page {
  private static final String HEAD =
      """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <title>The noisy quadratic model</title>
      <style>
      body { font: 17px/1.5 Georgia, serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
      h1, h2 { font-family: Helvetica, Arial, sans-serif; font-weight: 600; }
      figure { margin: 0 0 3rem; }
      img { max-width: 100%; height: auto; display: block; margin: 0 auto; }
      figcaption { margin-top: .5rem; }
      </style>
      </head>
      <body>
      <h1>The noisy quadratic model</h1>
      <p>Figures of Zhang et al. (2019), <i>Which Algorithmic Choices Matter at Which Batch Sizes?</i>,
      computed by kfac4j from the exact risk: eigenvalues 1/i, i = 1 to 10<sup>4</sup>, in 100 bins,
      gradient noise equal to the curvature, target risk 0.01 unless another is given, and
      hyperparameters tuned on the published grids for every point. A preconditioner is
      H<sup>&minus;p</sup>.</p>
      """;

  private Page() {}

  static String of(List<Figures.Written> figures) throws IOException {
    StringBuilder page = new StringBuilder(HEAD);
    for (Figures.Written figure : figures) {
      byte[] png = Files.readAllBytes(Path.of(figure.png()));
      page.append("<figure>\n<h2>Figure %s. %s</h2>\n".formatted(figure.figure(), figure.title()));
      page.append("<img alt=\"Figure %s\" src=\"data:image/png;base64,".formatted(figure.figure()));
      page.append(Base64.getEncoder().encodeToString(png)).append("\">\n");
      page.append("<figcaption>%s ".formatted(raised(figure.says())));
      page.append("<a href=\"%s\">Data</a></figcaption>\n".formatted(name(figure.csv())));
      page.append("</figure>\n");
    }
    return page.append("</body>\n</html>\n").toString();
  }

  /** Turns 2^20 into a raised exponent. */
  private static String raised(String text) {
    return text.replaceAll("\\^(-?[0-9.]*[0-9])", "<sup>$1</sup>");
  }

  private static String name(String path) {
    return Path.of(path).getFileName().toString();
  }
}
