package io.github.kfac4j.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** The bill of materials has all that programs depend on, at the version of the build. */
class BomTest {
  private static final Path ROOT = Path.of("..", "..");

  private static List<String> texts(String folder, String path) throws Exception {
    Document pom =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(ROOT.resolve(folder).resolve("pom.xml").toFile());
    NodeList nodes =
        (NodeList)
            XPathFactory.newInstance().newXPath().evaluate(path, pom, XPathConstants.NODESET);
    return IntStream.range(0, nodes.getLength())
        .mapToObj(i -> nodes.item(i).getTextContent())
        .toList();
  }

  @Test
  void namesEveryLibraryOfTheBuild() throws Exception {
    List<String> known = texts("java/bom", "//dependency/artifactId");
    for (String module : texts("", "/project/modules/module")) {
      if (!List.of("java/bom", "java/cli", "java/examples", "benchmarks").contains(module)) {
        assertThat(known).containsAll(texts(module, "/project/artifactId"));
      }
    }
  }

  @Test
  void isOfTheVersionOfTheBuild() throws Exception {
    assertThat(texts("java/bom", "/project/version"))
        .isEqualTo(texts("", "/project/version"))
        .hasSize(1);
    assertThat(texts("java/bom", "//dependency/version")).containsOnly("${project.version}");
  }
}
