import { load } from "kiiweb";
import { useCallback, useEffect, useRef, useState } from "react";

/**
 * Keeps a connection for as long as the component is there. cloud is what load takes, enter
 * logs its client in; both have to stay the same from render to render.
 */
export function usePush(cloud, enter) {
  const [state, setState] = useState("idle");
  const [error, setError] = useState(null);
  const [messages, setMessages] = useState([]);
  const client = useRef(null);

  useEffect(() => {
    // One life per run of the effect: StrictMode runs it, cleans up, and runs it again.
    const life = new AbortController();
    const { signal } = life;
    const run = async () => {
      const kii = await load(cloud);
      signal.addEventListener("abort", () => kii.dispose());
      if (signal.aborted) return kii.dispose();
      client.current = kii;
      await enter(kii);
      const { installationID } = await kii.installMqtt(false);
      const connection = await kii.connect(await kii.getMqttEndpoint(installationID));
      connection.on("state", (change) => signal.aborted || setState(change.state));
      connection.on("message", (message) => setMessages((all) => [...all, message.json()]));
      setState(connection.state);
    };
    run().catch((e) => signal.aborted || setError(e)); // an end that we asked for is none to show
    return () => {
      life.abort();
      setState("idle");
      setError(null);
    };
  }, [cloud, enter]);

  const send = useCallback((data) => client.current.sendToMe({ data }).catch(setError), []);
  return { state, error, messages, send };
}
