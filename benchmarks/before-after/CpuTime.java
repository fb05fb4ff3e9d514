import java.lang.management.ManagementFactory;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Locale;

/**
 * What cases of {@code cases.json} cost one build of the benchmarks: CPU time of the process, which other processes of
 * a busy machine hardly change, beside wall time; milliseconds a call, the medians of five samples, as a tab-separated
 * line for each case. By reflection, so that it runs with builds of any age:
 *
 * <pre>java -cp BUILD/benchmarks/target/benchmarks.jar CpuTime.java NAME THREADS CASE...</pre>
 */
final class CpuTime {
  private static final String ROOT = "io.github.kfac4j.benchmarks.";

  public static void main(String[] arguments) throws Exception {
    var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    int threads = Integer.parseInt(arguments[1]);
    Object contender = factory().getMethod("open", String.class, int.class).invoke(null, "cpu", threads);
    Method byId = Class.forName(ROOT + "cases.Cases").getMethod("byId", String.class);
    Method prepare =
        Class.forName(ROOT + "run.Contender")
            .getMethod("prepare", Class.forName(ROOT + "cases.Case"), long.class);
    Method run = Class.forName(ROOT + "run.Work").getMethod("run");
    Method close = Class.forName(ROOT + "run.Work").getMethod("close");
    for (String name : Arrays.copyOfRange(arguments, 2, arguments.length)) {
      Object work = prepare.invoke(contender, byId.invoke(null, name), 1L);
      long start = system.getProcessCpuTime();
      for (int i = 0; i < 3 || system.getProcessCpuTime() - start < 700_000_000L; i++) {
        run.invoke(work);
      }
      start = system.getProcessCpuTime();
      int tried = 0;
      while (tried < 2 || system.getProcessCpuTime() - start < 150_000_000L) {
        run.invoke(work);
        tried++;
      }
      int calls = Math.max(1, (int) Math.ceil(tried * 100e6 / (system.getProcessCpuTime() - start)));
      double[] cpu = new double[5];
      double[] wall = new double[5];
      for (int k = 0; k < cpu.length; k++) {
        long cpuStart = system.getProcessCpuTime();
        long wallStart = System.nanoTime();
        for (int i = 0; i < calls; i++) {
          run.invoke(work);
        }
        cpu[k] = (system.getProcessCpuTime() - cpuStart) / 1e6 / calls;
        wall[k] = (System.nanoTime() - wallStart) / 1e6 / calls;
      }
      Arrays.sort(cpu);
      Arrays.sort(wall);
      System.out.printf(
          Locale.ROOT, "%s\t%d\t%s\t%.5f\t%.5f%n", arguments[0], threads, name, cpu[2], wall[2]);
      close.invoke(work);
    }
    System.exit(0); // whatever threads libraries have left
  }

  private static Class<?> factory() throws ClassNotFoundException {
    try {
      return Class.forName(ROOT + "peers.OwnContenders");
    } catch (ClassNotFoundException e) {
      return Class.forName(ROOT + "own.KfacContender");
    }
  }
}
