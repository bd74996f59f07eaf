import { load } from "kiiweb";
import { onScopeDispose, ref, shallowRef } from "vue";

/** Push for the component that calls it. start logs in, with enter, and connects; all ends with the component. */
export function usePush(cloud) {
  const state = ref("idle");
  const error = shallowRef(null);
  const messages = ref([]);
  let kii;

  async function start(enter) {
    error.value = null;
    try {
      await stop();
      const mine = (kii = await load(cloud));
      await enter(mine);
      const { installationID } = await mine.installMqtt(false);
      const connection = await mine.connect(await mine.getMqttEndpoint(installationID));
      connection.on("state", (change) => (state.value = change.state));
      connection.on("message", (message) => messages.value.push(message.json()));
      state.value = connection.state;
    } catch (e) {
      if (e.code !== "CLOSED") error.value = e; // which is what stop causes
    }
  }

  const stop = async () => kii?.dispose();
  const send = (data) => kii.sendToMe({ data }).catch((e) => (error.value = e));
  onScopeDispose(stop);
  return { state, error, messages, start, stop, send };
}
