package io.github.kfac4j.cuda.presets;

import org.bytedeco.javacpp.annotation.NoException;
import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.presets.javacpp;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * Tells JavaCPP how to read {@code kfac_cuda.h}. Inherits nothing of the CUDA presets, so that the
 * library can be built without CUDA's headers and loaded without CUDA's libraries.
 */
@Properties(
    inherit = javacpp.class,
    target = "io.github.kfac4j.cuda.natives",
    global = "io.github.kfac4j.cuda.natives.kfac_cuda",
    value = {
      @Platform(value = "linux-x86_64", include = "kfac_cuda.h", link = "kfac_cuda"),
      // the emulated kernels, which only tests have on their class path
      @Platform(value = "linux-x86_64", extension = "-emu")
    })
@NoException
public class kfac_cuda implements InfoMapper {
  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("KFAC_API").cppTypes().annotations())
        // these are device pointers: no overloads for arrays and buffers of the host
        .put(new Info("float").valueTypes("float").pointerTypes("FloatPointer"))
        .put(new Info("double").valueTypes("double").pointerTypes("DoublePointer"))
        .put(new Info("int").valueTypes("int").pointerTypes("IntPointer"))
        .put(new Info("long long").valueTypes("long").pointerTypes("LongPointer"))
        .put(new Info("CUstream_st").skip().pointerTypes("org.bytedeco.cuda.cudart.CUstream_st"))
        .put(new Info("kfac_stream").valueTypes("org.bytedeco.cuda.cudart.CUstream_st"));
  }
}
