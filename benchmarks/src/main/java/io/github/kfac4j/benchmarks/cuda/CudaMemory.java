package io.github.kfac4j.benchmarks.cuda;

import io.github.kfac4j.benchmarks.own.TensorMemory;
import io.github.kfac4j.cuda.DeviceTensor;
import io.github.kfac4j.tensor.Tensor;
import java.util.IdentityHashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;

/** Tensors in the memory of the GPU, as those of a trainer that works there. */
public final class CudaMemory implements TensorMemory {
  private final Device device = new Device();
  private final Map<Tensor, FloatPointer> places = new IdentityHashMap<>();

  @Override
  public Tensor tensor(float[] data, int... shape) {
    FloatPointer place = device.upload(data);
    Tensor tensor = DeviceTensor.of(place, shape);
    places.put(tensor, place);
    return tensor;
  }

  @Override
  public void write(Tensor tensor, float[] data) {
    Device.set(places.get(tensor), data);
  }

  @Override
  public float[] read(Tensor tensor) {
    return Device.get(places.get(tensor), Math.toIntExact(tensor.shape().size()));
  }

  @Override
  public void close() {
    device.close();
  }
}
