-- Does in a headless Neovim what a person does, and writes what he sees as JSON. For 0.7 (Debian bookworm) and newer.
-- DSL_TEST is JSON: command, file, report, line and column (both from 1) of the place where the fix is asked for.
local asked = vim.fn.json_decode(vim.env.DSL_TEST)
local seen = { version = vim.fn.matchstr(vim.fn.execute("version"), "NVIM v\\S*") }

local function finish(problem)
  seen.problem = problem
  local file = assert(io.open(asked.report, "w"))
  file:write(vim.fn.json_encode(seen))
  file:close()
  vim.cmd("qall!")
end

local function diagnostics()
  local found = {}
  for _, one in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, { code = one.code, line = one.lnum + 1, column = one.col + 1, text = one.message })
  end
  return found
end

local function has(code)
  for _, one in ipairs(diagnostics()) do
    if one.code == code then return true end
  end
  return false
end

local function choose(start)
  -- the menu in which a person would choose
  vim.ui.select = function(items, _, on_choice)
    local titles = {}
    for _, item in ipairs(items) do
      local action = item.action or item[2]
      table.insert(titles, action.title)
    end
    seen.offered = seen.offered or titles
    for index, title in ipairs(titles) do
      if title:sub(1, #start) == start then return on_choice(items[index], index) end
    end
    on_choice(nil, nil)
  end
  local before = vim.api.nvim_buf_get_changedtick(0)
  vim.lsp.buf.code_action()
  return vim.wait(20000, function() return vim.api.nvim_buf_get_changedtick(0) > before end, 20)
end

local function run()
  vim.cmd("edit " .. vim.fn.fnameescape(asked.file))
  -- vim.lsp.start came with 0.8, and its elder goes with 0.13
  local client = (vim.lsp.start or vim.lsp.start_client)({
    name = "dockerslim-lint",
    cmd = asked.command,
    root_dir = vim.fn.fnamemodify(asked.file, ":h"),
    get_language_id = function() return "dockerfile" end,
  })
  vim.lsp.buf_attach_client(0, client)
  if not vim.wait(20000, function() return #vim.diagnostic.get(0) > 0 end, 20) then return "no diagnostics" end
  seen.diagnostics = diagnostics()

  vim.api.nvim_win_set_cursor(0, { asked.line, asked.column - 1 })
  local answers = vim.lsp.buf_request_sync(0, "textDocument/hover", vim.lsp.util.make_position_params(0, "utf-16"), 20000)
  for _, answer in pairs(answers or {}) do
    seen.hover = answer.result and answer.result.contents.value
  end

  if not choose(asked.fix) then return "the fix changed nothing" end
  seen.fixed = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  if not vim.wait(20000, function() return not has(asked.code) end, 20) then return "the finding stays" end

  vim.cmd("undo")
  if not vim.wait(20000, function() return has(asked.code) end, 20) then return "the finding does not come back" end
  vim.api.nvim_win_set_cursor(0, { asked.line, asked.column - 1 })
  if not choose("Suppress " .. asked.code) then return "the suppression changed nothing" end
  seen.suppressed = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  if not vim.wait(20000, function() return not has(asked.code) end, 20) then return "suppressed, and the finding stays" end
end

local fine, problem = pcall(run)
finish(problem)
