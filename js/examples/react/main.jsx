import { StrictMode, useCallback, useState } from "react";
import { createRoot } from "react-dom/client";
import { usePush } from "./usePush.js";

const cloud = { appID: "demo", appKey: "demo-key", baseURL: import.meta.env.VITE_KII_URL ?? "http://localhost:8080/api" };

function App() {
  const [account, setAccount] = useState(null);
  const submit = (event) => {
    event.preventDefault();
    setAccount(Object.fromEntries(new FormData(event.target)));
  };
  if (account) return <Push account={account} leave={() => setAccount(null)} />;
  return (
    <form onSubmit={submit}>
      <label>Name <input name="name" autoComplete="username" required /></label>
      <label>Password <input name="password" type="password" autoComplete="current-password" required /></label>
      <button>Log in</button>
    </form>
  );
}

function Push({ account, leave }) {
  const enter = useCallback((kii) => enterAs(kii, account), [account]);
  const { state, error, messages, send } = usePush(cloud, enter);
  return (
    <>
      <p>State: <output id="state">{state}</output></p>
      {error && <p role="alert">{error.code}: {error.message} {error.remedy}</p>}
      <button id="send" disabled={state !== "online"} onClick={() => send({ text: "hello" })}>Send me a message</button>
      <button id="stop" onClick={leave}>Stop</button>
      <ul id="messages">{messages.map(({ text }, i) => <li key={i}>{text}</li>)}</ul>
    </>
  );
}

/** Logs in; who has no account yet gets one. */
async function enterAs(kii, { name, password }) {
  try {
    await kii.login(name, password);
  } catch (error) {
    if (error.code !== "BAD_CREDENTIALS") throw error;
    await kii.register(name, password).catch((taken) => { throw taken.code === "CONFLICT" ? error : taken; });
  }
}

createRoot(document.getElementById("root")).render(<StrictMode><App /></StrictMode>);
