package io.github.kfac4j.distributed.ranks;

import io.github.kfac4j.data.LayerReport;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Reports of a refresh as messages. */
final class Reports {
  private static final LayerReport.FactorReport.Kind[] KINDS =
      LayerReport.FactorReport.Kind.values();

  private Reports() {}

  static void write(List<LayerReport> reports, DataOutputStream out) throws IOException {
    out.writeInt(reports.size());
    for (LayerReport report : reports) {
      out.writeUTF(report.layer());
      out.writeInt(report.inputDim());
      out.writeInt(report.outputDim());
      out.writeInt(report.groups());
      out.writeInt(report.perGroup().size());
      for (LayerReport.GroupReport group : report.perGroup()) {
        out.writeDouble(group.pi());
        out.writeInt(group.factors().size());
        for (LayerReport.FactorReport factor : group.factors()) {
          out.writeUTF(factor.name());
          out.writeByte(factor.kind().ordinal());
          out.writeDouble(factor.damping());
          out.writeDouble(factor.condition());
        }
        out.writeUTF(group.status());
      }
      out.writeDouble(report.seconds());
    }
  }

  static List<LayerReport> read(DataInputStream in) throws IOException {
    List<LayerReport> reports = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      String layer = in.readUTF();
      int inputDim = in.readInt();
      int outputDim = in.readInt();
      int groups = in.readInt();
      List<LayerReport.GroupReport> perGroup = new ArrayList<>();
      for (int g = in.readInt(); g > 0; g--) {
        perGroup.add(new LayerReport.GroupReport(in.readDouble(), factors(in), in.readUTF()));
      }
      reports.add(new LayerReport(layer, inputDim, outputDim, groups, perGroup, in.readDouble()));
    }
    return reports;
  }

  private static List<LayerReport.FactorReport> factors(DataInputStream in) throws IOException {
    List<LayerReport.FactorReport> factors = new ArrayList<>();
    for (int i = in.readInt(); i > 0; i--) {
      factors.add(
          new LayerReport.FactorReport(
              in.readUTF(), KINDS[in.readByte()], in.readDouble(), in.readDouble()));
    }
    return factors;
  }
}
